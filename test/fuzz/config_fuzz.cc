// conf.yml and, before a line "---env", variables of the environment.

#include "base/check.h"
#include "config/config.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

constexpr std::string_view kEndOfEnvironment = "\n---env\n";

// NAME=value lines.
Environment ReadVariables(std::string_view text) {
  Environment environment;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    environment.insert_or_assign(std::string(line.substr(0, equals)),
                                 std::string(line.substr(equals + 1)));
  }
  return environment;
}

}  // namespace

void FuzzConfig(std::string_view bytes) {
  Environment environment;
  if (const size_t end = bytes.find(kEndOfEnvironment); end != std::string_view::npos) {
    environment = ReadVariables(bytes.substr(0, end));
    bytes.remove_prefix(end + kEndOfEnvironment.size());
  }
  const StatusOr<Config> config = ParseConfig(std::string(bytes), environment);
  if (!config.ok()) {
    TROTH_CHECK(!TellConfigFailure(config.status()).text.empty());
    return;
  }
  TROTH_CHECK(!DescribeConfig(*config).empty());
}

}  // namespace troth::fuzz
