#pragma once
// The value of each key after the sources were read, not yet checked against each other. A value
// for every key of Keys() is always there: its default at least. Not thread-safe; lives during the
// start.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/keys.h"

namespace troth {

class Settings {
 public:
  // The defaults.
  Settings();

  // `name` is that of a key of the right type; anything else is a bug and stops the process.
  int64_t Integer(std::string_view name) const;
  const std::string& Text(std::string_view name) const;
  // Whether a source has set the key, be it to its default.
  bool IsExplicit(std::string_view name) const;

  // A later call wins.
  void SetInteger(const Key& key, int64_t value);
  void SetText(const Key& key, std::string value);

  // What the sources found odd but not wrong, for people.
  std::vector<std::string> warnings;

 private:
  struct Setting {
    std::variant<int64_t, std::string> value;
    bool is_explicit = false;
  };
  static size_t IndexOf(std::string_view name);
  const Setting& Get(std::string_view name) const { return settings_[IndexOf(name)]; }

  std::vector<Setting> settings_;  // in the order of Keys()
};

}  // namespace troth
