#pragma once
// Where settings come from: the environment and a YAML file. Each function lays what it finds over
// the settings it is given; what it finds odd goes to settings.warnings.

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "config/settings.h"

namespace troth {

using Environment = std::map<std::string, std::string, std::less<>>;

// The environment of this process. Call it before threads start that could change it.
Environment ProcessEnvironment();

// An empty variable counts as unset. OutOfRange when a value does not fit its key; the message
// names the variable.
Status ReadEnvironment(const Environment& environment, Settings& settings);

// The text of a configuration file. Error (dtm's text: "open conf.yml: no such file or directory")
// when it cannot be read or is larger than kConfigFileBytesMax.
inline constexpr size_t kConfigFileBytesMax = 1 << 20;  // thousands of times what all keys need
StatusOr<std::string> ReadConfigFile(const std::string& path);

// Lays the values of a YAML text over the settings. A null keeps what was there, an unknown key is
// a warning. FailedPrecondition when the text is not YAML or values have the wrong type; the
// message lists every such line.
Status ReadYaml(std::string_view text, Settings& settings);

}  // namespace troth
