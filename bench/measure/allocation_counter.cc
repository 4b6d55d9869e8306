#include "bench/measure/allocation_counter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "base/text.h"

namespace troth::bench {

StatusOr<AllocationCounter> AllocationCounter::Make(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || ::ftruncate(fd, sizeof(uint64_t)) != 0) {
    return Internal(Cat("cannot write ", path));
  }
  void* mapped = ::mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) return Internal(Cat("cannot map ", path));
  return AllocationCounter(static_cast<uint64_t*>(mapped));
}

AllocationCounter::AllocationCounter(AllocationCounter&& other) noexcept
    : count_(std::exchange(other.count_, nullptr)) {}

AllocationCounter::~AllocationCounter() {
  if (count_ != nullptr) ::munmap(count_, sizeof(uint64_t));
}

uint64_t AllocationCounter::count() const { return __atomic_load_n(count_, __ATOMIC_RELAXED); }

}  // namespace troth::bench
