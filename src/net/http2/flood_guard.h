#pragma once
// Notices peers that make us work for nothing: frames that cost them a few bytes and us an answer,
// a stream or a header block. Counts only; what is counted says the header of each.
//
// Part of Http2Session; for its thread.

#include <chrono>
#include <cstdint>

#include "net/http2/error.h"
#include "net/http2/frame.h"

namespace troth::net {

class FloodGuard {
 public:
  // A frame has arrived.
  Http2Fault OnFrame(const FrameHeader& header);
  // We sent headers or data, so what came before was for something.
  void OnProgress() { control_frames_ = 0; }
  // We owe the peer an acknowledgement or a reset it has provoked; all of them have been pulled.
  Http2Fault OnAnswerOwed();
  void OnAllPulled() { answers_owed_ = 0; }
  // The peer has reset one of its streams. `now` of a steady clock.
  Http2Fault OnReset(std::chrono::steady_clock::time_point now);

  // Frames in a row without any headers or data in either direction.
  static constexpr uint32_t kControlFramesMax = 10000;
  // Short frames that wait because the peer does not read. A read of ours can bring some thousands.
  static constexpr uint32_t kAnswersOwedMax = 16384;
  // CONTINUATION frames of one header block.
  static constexpr uint32_t kContinuationsMax = 8;
  // A peer may cancel as many streams as it may have open at once, and then this many a second.
  static constexpr uint32_t kResetsBurst = 4096;
  static constexpr uint32_t kResetsPerSecond = 1000;

 private:
  uint32_t control_frames_ = 0;
  uint32_t continuations_ = 0;
  uint32_t answers_owed_ = 0;
  double resets_left_ = kResetsBurst;
  std::chrono::steady_clock::time_point last_reset_;
};

}  // namespace troth::net
