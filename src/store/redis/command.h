#pragma once
// Commands as Redis reads them.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

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

}  // namespace troth::redis
