#include "store/redis/command.h"

#include <charconv>
#include <iterator>

namespace troth::redis {
namespace {

constexpr std::string_view kEnd = "\r\n";
// Most arguments whose size is not known before are this many digits long.
constexpr std::string_view kRoom = "000";

void AppendCount(std::string& out, char kind, size_t count) {
  char text[24] = {kind};
  char* end = std::to_chars(text + 1, std::end(text), count).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, end);
}

}  // namespace

ArgumentWriter& ArgumentWriter::Add(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  AppendCount(out_, '$', size);
  for (const std::string_view piece : pieces) out_ += piece;
  out_ += kEnd;
  return *this;
}

size_t ArgumentWriter::Open() {
  out_ += '$';
  out_ += kRoom;
  out_ += kEnd;
  return out_.size();
}

void ArgumentWriter::Close(size_t begin) {
  char digits[20];
  const char* const end = std::to_chars(digits, std::end(digits), out_.size() - begin).ptr;
  out_.replace(begin - kEnd.size() - kRoom.size(), kRoom.size(), digits, size_t(end - digits));
  out_ += kEnd;
}

CommandWriter::CommandWriter(std::string& out, size_t arguments) : ArgumentWriter(out) {
  AppendCount(out, '*', arguments);
}

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  CommandWriter writer(out, arguments.size());
  for (const std::string_view argument : arguments) writer.Add(argument);
}

}  // namespace troth::redis
