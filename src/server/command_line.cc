#include "server/command_line.h"

#include "base/text.h"

namespace troth {
namespace {

StatusOr<bool> ParseSwitch(std::string_view name, std::optional<std::string_view> value) {
  if (!value || *value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0") return false;
  return InvalidArgument(Cat("invalid boolean value \"", *value, "\" for -", name));
}

bool* FindSwitch(CommandLine& line, std::string_view name) {
  if (line.store && name == "yes") return &line.store->yes;
  if (line.store && name == "merge") return &line.store->merge;
  if (name == "d") return &line.debug;
  if (name == "r") return &line.reset;
  if (name == "v") return &line.version;
  if (name == "h" || name == "help") return &line.help;
  return nullptr;
}

}  // namespace

StatusOr<CommandLine> ParseCommandLine(std::span<const char* const> arguments) {
  CommandLine line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view text = arguments[i];
    if (text == "discover" && !line.discover) {
      if (++i == arguments.size()) return InvalidArgument("discover needs a name or a URL");
      line.discover = std::string(arguments[i]);
      continue;
    }
    if (text == "store" && !line.store) {
      line.store.emplace();
      continue;
    }
    if (line.store && !text.starts_with('-')) {
      line.store->words.emplace_back(text);
      continue;
    }
    if (!text.starts_with('-') || text == "-") {
      line.help = true;
      return line;
    }
    text.remove_prefix(text.starts_with("--") ? 2 : 1);
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    std::optional<std::string_view> value;
    if (equals != text.npos) value = text.substr(equals + 1);
    if (name == "c") {
      if (!value && i + 1 < arguments.size()) value = arguments[++i];
      if (!value) return InvalidArgument("flag needs an argument: -c");
      line.config_file = std::string(*value);
      continue;
    }
    bool* const target = FindSwitch(line, name);
    if (target == nullptr) return InvalidArgument(Cat("flag provided but not defined: -", name));
    TROTH_ASSIGN_OR_RETURN(*target, ParseSwitch(name, value));
  }
  if (line.store && !line.help) TROTH_RETURN_IF_ERROR(CheckStoreCommand(*line.store));
  return line;
}

std::string Usage(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return Cat("Usage: ",
             name,
             " [options] [discover NAME|URL | store ACTION]\n"
             "  discover say what a service's name or a branch's URL resolves to, and exit\n"
             "  store init         create the tables of Store.Driver\n"
             "  store check        say what is missing or too narrow in them\n"
             "  store widen        put it right\n"
             "  store reset        remove everything from the store; asks first, --yes answers\n"
             "  store copy FROM TO copy a store (conf file, folder or URL) and verify it; --merge\n"
             "                     into one that is not empty\n"
             "  -c file  read this YAML file over the environment's values\n"
             "  -d       log at level debug\n"
             "  -r       remove all transactions from the store, then serve\n"
             "  -v       print the version and exit\n"
             "  -h       print this and exit\n"
             "Without -c and environment: embedded store in ./troth-data, HTTP on 36789, gRPC on "
             "36790.\n");
}

}  // namespace troth
