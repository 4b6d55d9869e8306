#pragma once
// What a run of many seeds adds up to, as tables for people.

#include <cstdint>
#include <string>

#include "world.h"

namespace troth::sim {

class Report {
 public:
  void Add(const SeedResult& result);
  std::string Text() const;

 private:
  uint64_t seeds_ = 0;
  uint64_t transfers_ = 0;
  uint64_t steps_ = 0;
  Duration simulated_{};
  FaultCounts faults_{};
  MarkCounts marks_{};
};

// What to show of a seed that failed: what is wrong, the last lines of its log, how to repeat it.
std::string FailureText(const SeedResult& result,
                        Bug bug,
                        bool on_disk,
                        const std::string& log_file);

}  // namespace troth::sim
