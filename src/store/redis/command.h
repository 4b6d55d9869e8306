#pragma once
// Commands as Redis reads them.

#include <cstddef>
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

// Appends a command to a text argument by argument, for those of many.
class CommandWriter {
 public:
  // Exactly `arguments` are to be added. `out` outlives it.
  CommandWriter(std::string& out, size_t arguments);

  CommandWriter& Add(std::string_view argument) { return Add({argument}); }
  // One argument in pieces.
  CommandWriter& Add(std::initializer_list<std::string_view> pieces);

 private:
  std::string& out_;
};

}  // namespace troth::redis
