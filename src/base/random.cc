#include "base/random.h"

#include <sys/random.h>

#include <bit>
#include <string_view>

#include "base/check.h"

namespace troth {
namespace {

using Uint128 = unsigned __int128;

// Spreads a seed over the generator's state, so that near seeds give unlike runs.
uint64_t SplitMix64(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

// The 128 bits of a random UUID: version 4, variant 10 (RFC 9562).
Uint128 RandomUuidBits(Random& random) {
  const uint64_t high = (random.Next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (random.Next() & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return (Uint128{high} << 64) | low;
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

Random Random::FromDevice() {
  Random random(0);
  // Requests of up to 256 bytes are never cut short once the pool is initialised (getrandom(2)).
  TROTH_CHECK(getrandom(random.state_, sizeof(random.state_), 0) == sizeof(random.state_));
  return random;
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Below(uint64_t bound) {
  if (bound == 0) return 0;
  // The first 2^64 mod `bound` values would make small results more likely: draw again.
  const uint64_t uneven = (0 - bound) % bound;
  uint64_t drawn = Next();
  while (drawn < uneven) drawn = Next();
  return drawn % bound;
}

double Random::Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

std::string NewGid(Random& random) {
  static constexpr std::string_view kAlphabet =
      "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  static constexpr size_t kLengthMin = 13;
  std::string gid;
  gid.reserve(22);
  for (Uint128 rest = RandomUuidBits(random); rest != 0; rest /= kAlphabet.size()) {
    gid += kAlphabet[static_cast<size_t>(rest % kAlphabet.size())];
  }
  if (gid.size() < kLengthMin) gid.append(kLengthMin - gid.size(), kAlphabet[0]);
  return gid;
}

std::string NewUuid(Random& random) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const Uint128 bits = RandomUuidBits(random);
  std::string uuid;
  uuid.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) uuid += '-';
    uuid += kHex[static_cast<size_t>(bits >> (124 - 4 * digit)) & 0xf];
  }
  return uuid;
}

}  // namespace troth
