#pragma once
// Commands as Redis reads them.

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/text_buffer.h"

namespace troth::redis {

// Appends a command of any arguments to `out`.
void AppendCommand(std::string& out, std::span<const std::string_view> arguments);
inline void AppendCommand(std::string& out, std::initializer_list<std::string_view> arguments) {
  AppendCommand(out, std::span(arguments.begin(), arguments.size()));
}
inline std::string Command(std::initializer_list<std::string_view> arguments) {
  std::string out;
  AppendCommand(out, arguments);
  return out;
}

// Appends arguments one by one, as they stand in a command.
class ArgumentWriter {
 public:
  // `out` outlives it.
  explicit ArgumentWriter(TextBuffer& out) : out_(out) {}

  ArgumentWriter& Add(std::string_view argument) { return Add({argument}); }
  // One argument in pieces.
  ArgumentWriter& Add(std::initializer_list<std::string_view> pieces);

  // One argument of a size that shows when it is there: what `append` appends to the text.
  template <typename Append>
  ArgumentWriter& AddWritten(Append append) {
    const size_t begin = Open();
    append(out_);
    Close(begin);
    return *this;
  }

  // Arguments that were written as these are, elsewhere.
  ArgumentWriter& AddEncoded(std::string_view arguments) {
    out_.Append(arguments);
    return *this;
  }

 private:
  // Leaves room for the size of an argument; returns where it begins. Close fills the room.
  size_t Open();
  void Close(size_t begin);

  TextBuffer& out_;
};

// Appends a command to a text argument by argument, for those of many.
class CommandWriter : public ArgumentWriter {
 public:
  // Exactly `arguments` are to be added. `out` outlives it.
  CommandWriter(TextBuffer& out, size_t arguments);
};

}  // namespace troth::redis
