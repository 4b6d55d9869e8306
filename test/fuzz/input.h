#pragma once
// Takes the bytes of a fuzzer apart: choices first, the rest is what the code under test reads.

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace troth::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  // 0 when there is nothing left.
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // At most `size` bytes.
  std::string_view Take(size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// The same bytes in pieces of `piece` bytes, as a socket would hand them out; 0: in one.
template <typename Feed>
void InPieces(std::string_view bytes, size_t piece, Feed feed) {
  if (piece == 0) piece = std::max<size_t>(bytes.size(), 1);
  while (!bytes.empty()) {
    feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

}  // namespace troth::fuzz
