#pragma once
// The flags of the server, in the style of dtm's (protocol/server.md 1.1): -x and --x are the same,
// a value follows as
// "-c f" or "-c=f".

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "server/store_command.h"

namespace troth {

struct CommandLine {
  std::optional<std::string> config_file;  // -c
  bool debug = false;                      // -d: log level debug
  bool reset = false;                      // -r: empty the store first
  bool version = false;                    // -v
  bool help = false;                       // -h, or any other positional argument
  // discover NAME|URL: say what it resolves to, do not serve.
  std::optional<std::string> discover;
  // store ACTION ...: work on a store, do not serve.
  std::optional<StoreCommand> store;
};

// `arguments` without the program's name. InvalidArgument for an unknown flag: tell it, show the
// usage, exit 2.
StatusOr<CommandLine> ParseCommandLine(std::span<const char* const> arguments);

std::string Usage(std::string_view program);

}  // namespace troth
