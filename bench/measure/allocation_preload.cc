// A library of its own, loaded into the server by LD_PRELOAD: counts allocations in the file that
// allocation_counter.h maps. glibc's own functions do the work, also in a server that brings a
// malloc and operators of its own, which stand behind these.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#include "bench/measure/allocations_variable.h"

extern "C" {

void* __libc_malloc(size_t size);                      // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(size_t count, size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* memory, size_t size);       // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* memory);                        // NOLINT(bugprone-reserved-identifier)

}  // extern "C"

namespace {

uint64_t uncounted = 0;  // before the file is mapped
uint64_t* allocations = &uncounted;

void Count() { __atomic_fetch_add(allocations, 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) void MapCounter() {
  const char* path =
      std::getenv(troth::bench::kAllocationsVariable);  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = ::mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped != MAP_FAILED) allocations = static_cast<uint64_t*>(mapped);
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  Count();
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  Count();
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  Count();
  return __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  Count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  Count();
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr;
}

void free(void* memory) { __libc_free(memory); }

}  // extern "C"

namespace {

void* New(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();  // measured servers have memory
  return memory;
}

void* New(size_t size, std::align_val_t alignment) {
  void* memory = std::aligned_alloc(static_cast<size_t>(alignment), size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// NOLINTBEGIN(misc-new-delete-overloads): the pairs are here, the sized ones call these
void* operator new(size_t size) { return New(size); }
void* operator new[](size_t size) { return New(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return New(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return New(size); }
void* operator new(size_t size, std::align_val_t alignment) { return New(size, alignment); }
void* operator new[](size_t size, std::align_val_t alignment) { return New(size, alignment); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
// NOLINTEND(misc-new-delete-overloads)
