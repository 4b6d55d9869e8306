#include "engine/deadline_queue.h"

namespace troth {

void DeadlineQueue::Put(size_t place, Entry entry) {
  heap_[place] = entry;
  place_[entry.key] = static_cast<uint32_t>(place);
}

void DeadlineQueue::SiftUp(size_t place, Entry entry) {
  while (place > 0) {
    const size_t parent = (place - 1) / 2;
    if (heap_[parent] <= entry) break;
    Put(place, heap_[parent]);
    place = parent;
  }
  Put(place, entry);
}

void DeadlineQueue::SiftDown(size_t place, Entry entry) {
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (entry <= heap_[child]) break;
    Put(place, heap_[child]);
    place = child;
  }
  Put(place, entry);
}

void DeadlineQueue::Set(uint32_t key, TimePoint at) {
  if (key >= place_.size()) place_.resize(key + 1, kNowhere);
  const Entry entry{at, key};
  if (place_[key] == kNowhere) {
    heap_.push_back(entry);
    return SiftUp(heap_.size() - 1, entry);
  }
  const size_t place = place_[key];
  if (entry < heap_[place]) return SiftUp(place, entry);
  SiftDown(place, entry);
}

void DeadlineQueue::Remove(uint32_t key) {
  if (!contains(key)) return;
  const size_t place = place_[key];
  place_[key] = kNowhere;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && last < heap_[(place - 1) / 2]) return SiftUp(place, last);
  SiftDown(place, last);
}

}  // namespace troth
