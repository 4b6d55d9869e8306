#include "net/http2/flood_guard.h"

#include <algorithm>

namespace troth::net {

Http2Fault FloodGuard::OnFrame(const FrameHeader& header) {
  const bool useful =
      header.type == FrameType::kHeaders || (header.type == FrameType::kData && header.length > 0);
  control_frames_ = useful ? 0 : control_frames_ + 1;
  if (control_frames_ > kControlFramesMax) {
    return {Http2Error::kEnhanceYourCalm, "too many control frames without a request"};
  }
  continuations_ = header.type == FrameType::kContinuation ? continuations_ + 1 : 0;
  if (continuations_ > kContinuationsMax) {
    return {Http2Error::kEnhanceYourCalm, "a header block is in too many frames"};
  }
  return {};
}

Http2Fault FloodGuard::OnAnswerOwed() {
  if (++answers_owed_ <= kAnswersOwedMax) return {};
  return {Http2Error::kEnhanceYourCalm, "too many frames to answer, and no answer is read"};
}

Http2Fault FloodGuard::OnReset(std::chrono::steady_clock::time_point now) {
  const std::chrono::duration<double> passed = now - last_reset_;
  last_reset_ = now;
  resets_left_ =
      std::min<double>(kResetsBurst, resets_left_ + passed.count() * kResetsPerSecond) - 1;
  if (resets_left_ >= 0) return {};
  return {Http2Error::kEnhanceYourCalm, "too many streams were reset"};
}

}  // namespace troth::net
