#pragma once
// The one source of chance. Seeded, so that a run repeats; not for secrets.

#include <cstdint>
#include <string>

namespace troth {

// xoshiro256**: fast, good enough for jitter, sampling and ids. Not thread-safe: one per owner.
class Random {
 public:
  explicit Random(uint64_t seed);
  // A generator seeded by the operating system.
  static Random FromDevice();

  uint64_t Next();
  // Uniform in [0, bound); 0 when bound is 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1).
  double Unit();
  bool OneIn(uint64_t n) { return n != 0 && Below(n) == 0; }

 private:
  uint64_t state_[4];
};

// A new transaction id as dtm makes them: a random UUIDv4 in base 57, least significant digit
// first, padded with '2' to 13 characters at least (usually 22). protocol/server.md section 9.
std::string NewGid(Random& random);

// A random UUID (version 4) as text, for instance ids.
std::string NewUuid(Random& random);

}  // namespace troth
