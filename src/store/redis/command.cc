#include "store/redis/command.h"

#include "base/text.h"

namespace troth::redis {

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  CatTo(out, "*", arguments.size(), "\r\n");
  for (const std::string_view argument : arguments) {
    CatTo(out, "$", argument.size(), "\r\n", argument, "\r\n");
  }
}

}  // namespace troth::redis
