#include "store/redis/command.h"

#include <charconv>
#include <iterator>

namespace troth::redis {
namespace {

constexpr std::string_view kEnd = "\r\n";
// Most arguments whose size is not known before are this many digits long.
constexpr std::string_view kRoom = "000";

void AppendCount(TextBuffer& out, char kind, size_t count) {
  out.Append(kind);
  out.AppendNumber(static_cast<int64_t>(count));
  out.Append(kEnd);
}

}  // namespace

ArgumentWriter& ArgumentWriter::Add(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  AppendCount(out_, '$', size);
  for (const std::string_view piece : pieces) out_.Append(piece);
  out_.Append(kEnd);
  return *this;
}

size_t ArgumentWriter::Open() {
  out_.Append('$');
  out_.Append(kRoom);
  out_.Append(kEnd);
  return out_.size();
}

void ArgumentWriter::Close(size_t begin) {
  char digits[20];
  const char* const end = std::to_chars(digits, std::end(digits), out_.size() - begin).ptr;
  out_.Replace(begin - kEnd.size() - kRoom.size(), kRoom.size(), {digits, end});
  out_.Append(kEnd);
}

CommandWriter::CommandWriter(TextBuffer& out, size_t arguments) : ArgumentWriter(out) {
  AppendCount(out, '*', arguments);
}

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  TextBuffer command;
  CommandWriter writer(command, arguments.size());
  for (const std::string_view argument : arguments) writer.Add(argument);
  out += command.view();
}

}  // namespace troth::redis
