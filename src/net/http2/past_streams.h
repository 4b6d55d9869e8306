#pragma once
// What a server remembers of its peer's streams that are not open any more, to tell frames that
// were on their way when we closed one from those nobody may send (RFC 9113 section 5.1).
//
// Part of Http2Session; for its thread.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace troth::net {

class PastStreams {
 public:
  // The peer opens `id` after `last`: those between can never be used.
  void OnOpen(uint32_t id, uint32_t last) {
    if (id <= last + 2) return;
    passed_over_from_ = last + 1;
    passed_over_to_ = id - 1;
  }
  // The peer has ended it or reset it.
  void OnPeerEnd(uint32_t id) { ended_[next_++ % kEndedMax] = id; }

  bool WasPassedOver(uint32_t id) const { return id >= passed_over_from_ && id <= passed_over_to_; }
  // Of the last ones only; others are given the benefit of the doubt.
  bool WasEndedByPeer(uint32_t id) const { return std::ranges::find(ended_, id) != ended_.end(); }

 private:
  static constexpr size_t kEndedMax = 16;

  std::array<uint32_t, kEndedMax> ended_ = {};  // a ring
  size_t next_ = 0;
  uint32_t passed_over_from_ = 1;  // the last ones; none while from > to
  uint32_t passed_over_to_ = 0;
};

}  // namespace troth::net
