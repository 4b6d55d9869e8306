#pragma once
// When each of many keys is due: a binary heap that can move and remove its entries. Equal times
// come out in the order of their keys, so that runs repeat.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace troth {

class DeadlineQueue {
 public:
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  bool contains(uint32_t key) const { return key < place_.size() && place_[key] != kNowhere; }

  // The earliest entry; the queue must not be empty.
  TimePoint top_time() const { return heap_.front().at; }
  uint32_t top_key() const { return heap_.front().key; }

  // Adds the key or moves it.
  void Set(uint32_t key, TimePoint at);
  // Nothing happens when the key is not in it.
  void Remove(uint32_t key);

 private:
  struct Entry {
    TimePoint at;
    uint32_t key;
    auto operator<=>(const Entry&) const = default;
  };
  static constexpr uint32_t kNowhere = UINT32_MAX;

  void Put(size_t place, Entry entry);
  void SiftUp(size_t place, Entry entry);
  void SiftDown(size_t place, Entry entry);

  std::vector<Entry> heap_;
  std::vector<uint32_t> place_;  // by key: position in heap_
};

}  // namespace troth
