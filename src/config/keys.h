#pragma once
// The table of all configuration keys: dtm's and the few of our own. docs/configuration.md says the
// same for people; a test keeps the two in step.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace troth {

enum class KeyType : uint8_t { kText, kInteger };

struct Key {
  std::string_view name;  // as in the file, sections joined by a point: "Store.Port"
  KeyType type = KeyType::kText;
  std::string_view default_value = "";
  // Integers with an effect must lie between these, both included.
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
  // The stores that use the key, joined by ", "; empty: it does not depend on the store.
  std::string_view stores = "";
  // Why setting the key changes nothing in this version; empty: it has an effect.
  std::string_view unused_because = "";
};

std::span<const Key> Keys();
// The key of that name, case-sensitive; null when there is none.
const Key* FindKey(std::string_view name);
// Whether keys lie below `name`, as below "Store".
bool IsSection(std::string_view name);
// "Store.MaxOpenConns" -> "STORE_MAX_OPEN_CONNS".
std::string EnvironmentName(std::string_view key_name);
// The key or section that `unknown` was probably meant to be; empty when nothing is close.
std::string_view ClosestName(std::string_view unknown);

}  // namespace troth
