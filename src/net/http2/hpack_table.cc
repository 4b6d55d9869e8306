#include "net/http2/hpack_table.h"

#include <algorithm>
#include <utility>

namespace troth::net {

HpackTable::Entry* HpackTable::Insert(std::string_view name,
                                      std::string_view value,
                                      FieldKind kind) {
  const size_t bytes = BytesOf(name, value);
  scratch_.assign(name);  // before what they may be views of goes
  scratch_.append(value);
  const auto name_size = static_cast<uint32_t>(name.size());
  DropUntil(bytes > bytes_max_ ? 0 : bytes_max_ - bytes);
  if (bytes > bytes_max_) return nullptr;
  if (size_ == ring_.size()) Grow();
  Entry& entry = ring_[inserted_++ & (ring_.size() - 1)];
  entry.text.swap(scratch_);  // whose memory serves again
  entry.name_size = name_size;
  entry.kind = kind;
  ++size_;
  bytes_ += bytes;
  return &entry;
}

void HpackTable::SetBytesMax(uint32_t bytes) {
  bytes_max_ = bytes;
  DropUntil(bytes);
}

void HpackTable::DropUntil(size_t bytes) {
  while (bytes_ > bytes) {
    bytes_ -= At(size_ - 1).text.size() + kOverheadBytes;
    --size_;
  }
}

void HpackTable::Grow() {
  std::vector<Entry> larger(std::max(kRingMin, ring_.size() * 2));
  for (size_t age = 0; age < size_; ++age) {
    const size_t number = inserted_ - 1 - age;
    larger[number & (larger.size() - 1)] = std::move(ring_[number & (ring_.size() - 1)]);
  }
  ring_ = std::move(larger);
}

}  // namespace troth::net
