#pragma once
// A service that the server under measurement calls: answers every call the same way, at once, and
// counts it. What is called is read from the first calls of each connection only.

#include <cstdint>
#include <map>
#include <string>

namespace troth::bench {

struct ParticipantCounts {
  uint64_t calls = 0;
  std::map<std::string, uint64_t> paths;  // of the first kPathsRead calls of each connection
};

// More than are ever open at once: all first steps arrive before any second one.
constexpr uint64_t kPathsRead = 20'000;

enum class Behaviour : uint8_t { kSucceeds, kRefuses };

}  // namespace troth::bench
