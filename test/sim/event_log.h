#pragma once
// What happened, one line each with the simulated time since the start. Kept only when asked for: a
// seed that fails is run again with it.

#include <cstdint>
#include <string>

#include "base/text.h"
#include "scheduler.h"

namespace troth::sim {

class EventLog {
 public:
  EventLog(const Scheduler& scheduler, bool keep)
      : scheduler_(scheduler), start_(scheduler.now()), keep_(keep) {}

  // Pieces as for Cat.
  template <typename... Pieces>
  void Add(const Pieces&... pieces) {
    if (keep_) Append(Cat(pieces...));
  }

  bool kept() const { return keep_; }
  const std::string& text() const { return text_; }

 private:
  void Append(const std::string& line);

  const Scheduler& scheduler_;
  const TimePoint start_;
  const bool keep_;
  std::string text_;
};

}  // namespace troth::sim
