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

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  AppendCount(out, '*', arguments.size());
  for (const std::string_view argument : arguments) {
    AppendCount(out, '$', argument.size());
    out += argument;
    out += "\r\n";
  }
}

}  // namespace troth::redis
