#include "store/redis/command.h"

#include <charconv>
#include <iterator>

namespace troth::redis {
namespace {

void AppendCount(std::string& out, char kind, size_t count) {
  char text[24] = {kind};
  char* const end = std::to_chars(text + 1, std::end(text), count).ptr;
  out.append(text, end);
  out += "\r\n";
}

}  // namespace

CommandWriter::CommandWriter(std::string& out, size_t arguments) : out_(out) {
  AppendCount(out_, '*', arguments);
}

CommandWriter& CommandWriter::Add(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  AppendCount(out_, '$', size);
  for (const std::string_view piece : pieces) out_ += piece;
  out_ += "\r\n";
  return *this;
}

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  CommandWriter writer(out, arguments.size());
  for (const std::string_view argument : arguments) writer.Add(argument);
}

}  // namespace troth::redis
