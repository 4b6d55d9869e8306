#pragma once
// A text that is put together of many small pieces, as commands and JSON are. Appending to a
// std::string is a call into its library for each piece; here the compiler sees through it.
//
// One thread.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troth {

class TextBuffer {
 public:
  std::string_view view() const { return {memory_.get(), size_}; }
  size_t size() const { return size_; }

  void Append(std::string_view text) {
    std::char_traits<char>::copy(Room(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  void Append(char c) {
    *Room(1) = c;
    ++size_;
  }
  void AppendNumber(int64_t number) {
    constexpr size_t kDigitsMax = 20;
    char* const begin = Room(kDigitsMax);
    size_ += static_cast<size_t>(std::to_chars(begin, begin + kDigitsMax, number).ptr - begin);
  }
  // `bytes` that `write(char* to)` writes; it returns where they end, at most `bytes_max` later.
  template <typename Write>
  void AppendWritten(size_t bytes_max, Write write) {
    char* const begin = Room(bytes_max);
    size_ += static_cast<size_t>(write(begin) - begin);
  }

  // Puts `text` where `length` bytes from `at` were.
  void Replace(size_t at, size_t length, std::string_view text) {
    if (text.size() > length) Room(text.size() - length);
    char* const place = memory_.get() + at;
    std::char_traits<char>::move(place + text.size(), place + length, size_ - at - length);
    std::char_traits<char>::copy(place, text.data(), text.size());
    size_ = size_ - length + text.size();
  }

  void Reserve(size_t bytes) {
    if (bytes > size_) Room(bytes - size_);
  }
  // Keeps the memory for the next text, unless it is more than `bytes_kept`.
  void Clear(size_t bytes_kept) {
    size_ = 0;
    if (capacity_ <= bytes_kept) return;
    memory_.reset();
    capacity_ = 0;
  }

 private:
  // Room for so many bytes more, at the end.
  char* Room(size_t bytes) {
    if (capacity_ - size_ < bytes) Grow(bytes);
    return memory_.get() + size_;
  }
  void Grow(size_t bytes) {
    const size_t capacity = std::max(2 * capacity_, size_ + bytes);
    auto memory = std::make_unique_for_overwrite<char[]>(capacity);
    std::char_traits<char>::copy(memory.get(), memory_.get(), size_);
    memory_ = std::move(memory);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace troth
