#pragma once
// JSON byte for byte as Go's encoding/json writes it, because what lies in a registry is compared
// and read by Go programs.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troth {

// Quoted; '<', '>', '&' and the line separators as \u003c ...; broken UTF-8 becomes U+FFFD.
void AppendGoString(std::string& out, std::string_view text);

// A map of strings: its keys sorted.
void AppendGoMap(std::string& out, std::vector<std::pair<std::string, std::string>> members);

}  // namespace troth
