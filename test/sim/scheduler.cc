#include "scheduler.h"

#include <algorithm>
#include <utility>

namespace troth::sim {

void Scheduler::After(Duration delay, Task task) {
  heap_.push_back({now_ + std::max(delay, Duration(0)), ++last_sequence_, std::move(task)});
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

bool Scheduler::Step(TimePoint end) {
  if (heap_.empty() || heap_.front().time > end) {
    now_ = end;
    return false;
  }
  std::pop_heap(heap_.begin(), heap_.end(), Later);
  Entry next = std::move(heap_.back());
  heap_.pop_back();
  now_ = next.time;
  ++steps_;
  next.task();
  return true;
}

}  // namespace troth::sim
