#pragma once
// Which transactions an engine has forgotten lately. A claim that was asked of the store before
// then may bring a state long past: this server has gone on with it meanwhile, perhaps to its end.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace troth {

// Add and MayHoldSince: the engine's thread. count: any thread.
class Forgotten {
 public:
  // Some tenths of a second at full speed; a claim that took longer is looked at twice.
  static constexpr size_t kKept = 4096;

  void Add(std::string_view gid) {
    const uint64_t count = count_.load(std::memory_order_relaxed);
    hashes_[count % kKept] = Hash(gid);
    count_.store(count + 1, std::memory_order_release);
  }

  // How many have been forgotten. Their last saves are in the store: who asks it after this sees
  // them.
  uint64_t count() const { return count_.load(std::memory_order_acquire); }

  // Whether the transaction may have been forgotten since there were `count`. True also when that
  // is too long ago to tell.
  bool MayHoldSince(std::string_view gid, uint64_t count) const {
    const uint64_t now = count_.load(std::memory_order_relaxed);
    if (now - count > kKept) return true;
    const uint64_t hash = Hash(gid);
    for (; count != now; ++count) {
      if (hashes_[count % kKept] == hash) return true;
    }
    return false;
  }

 private:
  static uint64_t Hash(std::string_view gid) { return std::hash<std::string_view>{}(gid); }

  std::array<uint64_t, kKept> hashes_{};
  std::atomic<uint64_t> count_ = 0;
};

}  // namespace troth
