#pragma once
// Sees the ends of a server's calls, for metrics.

#include <cstdint>

#include "base/time.h"
#include "net/loop.h"

namespace troth::net {

class CallWatcher {
 public:
  virtual ~CallWatcher() = default;
  // On the loop of the call, when its answer is given. `tag` is what Watch was told; `took` counts
  // from Watch, in whole turns of the loop.
  virtual void OnAnswered(Loop& loop, uint32_t tag, bool ok, Duration took) = 0;
};

// What a call remembers of its watcher.
class WatchedCall {
 public:
  void Begin(CallWatcher& watcher, uint32_t tag, Loop& loop) {
    watcher_ = &watcher;
    tag_ = tag;
    begin_ = loop.turn_time();
  }
  // Tells the watcher, once.
  void End(Loop& loop, bool ok) {
    CallWatcher* const watcher = watcher_;
    if (watcher == nullptr) return;
    watcher_ = nullptr;
    watcher->OnAnswered(
        loop, tag_, ok, std::chrono::duration_cast<Duration>(loop.turn_time() - begin_));
  }

 private:
  CallWatcher* watcher_ = nullptr;
  uint32_t tag_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace troth::net
