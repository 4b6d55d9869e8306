#pragma once
// Memory for nghttp2: it allocates and frees a handful of small blocks for each frame and stream,
// more at a time than malloc's own thread cache keeps.

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <new>

namespace troth::net {

// An allocator that keeps freed blocks of up to 1 KiB for the thread that freed them. Thread-safe;
// lives for ever.
nghttp2_mem* Http2Memory();

// The same memory for std::allocate_shared: calls come and go as fast as streams do.
template <typename T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <typename U>
  explicit(false) PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(size_t count) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    void* block = Http2Memory()->malloc(count * sizeof(T), nullptr);
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, size_t) { Http2Memory()->free(block, nullptr); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace troth::net
