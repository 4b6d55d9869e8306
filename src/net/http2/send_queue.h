#pragma once
// Bytes of one stream that wait for the peer's window, in order. Small pieces are joined, large
// ones moved.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troth::net {

class SendQueue {
 public:
  size_t size() const { return size_; }

  void Append(std::string_view bytes) {
    if (pieces_.empty() || pieces_.back().size() > kCopiedMax) pieces_.emplace_back();
    pieces_.back().append(bytes);
    size_ += bytes.size();
  }
  void Append(std::string&& bytes) {
    if (bytes.size() <= kCopiedMax) return Append(std::string_view(bytes));
    size_ += bytes.size();
    pieces_.push_back(std::move(bytes));
  }

  // Moves the first `bytes` (at most size()) to the end of `out`.
  void MoveTo(std::string& out, size_t bytes) {
    while (bytes > 0) {
      const std::string& piece = pieces_[first_];
      const size_t taken = std::min(bytes, piece.size() - offset_);
      out.append(piece, offset_, taken);
      bytes -= taken;
      size_ -= taken;
      offset_ += taken;
      if (offset_ == piece.size()) NextPiece();
    }
  }

  void Clear() { *this = SendQueue(); }

 private:
  static constexpr size_t kCopiedMax = 4096;  // below it copying is cheaper than a piece of its own

  void NextPiece() {
    offset_ = 0;
    if (size_ == 0) {
      pieces_.clear();
      first_ = 0;
      return;
    }
    pieces_[first_++] = std::string();  // its memory is not needed any more
    constexpr size_t kSpentMax = 64;
    if (first_ < kSpentMax) return;
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<std::string> pieces_;  // those before first_ are spent
  size_t first_ = 0;
  size_t offset_ = 0;  // spent bytes of pieces_[first_]
  size_t size_ = 0;
};

}  // namespace troth::net
