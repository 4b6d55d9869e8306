#pragma once
// How often another process allocates memory: a library (allocation_preload.cc), loaded into it by
// LD_PRELOAD, counts in a file that both map.

#include <cstdint>
#include <string>

#include "base/status.h"

namespace troth::bench {

class AllocationCounter {
 public:
  // Makes the file at `path` and maps it.
  static StatusOr<AllocationCounter> Make(const std::string& path);
  AllocationCounter(AllocationCounter&& other) noexcept;
  AllocationCounter& operator=(AllocationCounter&&) = delete;
  ~AllocationCounter();

  // Calls of malloc, calloc, realloc and the aligned ones so far.
  uint64_t count() const;

 private:
  explicit AllocationCounter(uint64_t* count) : count_(count) {}
  uint64_t* count_;
};

}  // namespace troth::bench
