#include "config/settings.h"

#include "base/check.h"
#include "base/text.h"

namespace troth {

Settings::Settings() {
  settings_.reserve(Keys().size());
  for (const Key& key : Keys()) {
    Setting& setting = settings_.emplace_back();
    switch (key.type) {
      case KeyType::kInteger: setting.value = ParseInt(key.default_value).value(); break;
      case KeyType::kText: setting.value = std::string(key.default_value); break;
    }
  }
}

int64_t Settings::Integer(std::string_view name) const {
  const auto* value = std::get_if<int64_t>(&Get(name).value);
  TROTH_CHECK(value != nullptr);
  return *value;
}

const std::string& Settings::Text(std::string_view name) const {
  const auto* value = std::get_if<std::string>(&Get(name).value);
  TROTH_CHECK(value != nullptr);
  return *value;
}

bool Settings::IsExplicit(std::string_view name) const { return Get(name).is_explicit; }

void Settings::SetInteger(const Key& key, int64_t value) {
  TROTH_CHECK(key.type == KeyType::kInteger);
  settings_[IndexOf(key.name)] = {.value = value, .is_explicit = true};
}

void Settings::SetText(const Key& key, std::string value) {
  TROTH_CHECK(key.type == KeyType::kText);
  settings_[IndexOf(key.name)] = {.value = std::move(value), .is_explicit = true};
}

size_t Settings::IndexOf(std::string_view name) {
  const Key* const key = FindKey(name);
  TROTH_CHECK(key != nullptr);
  return static_cast<size_t>(key - Keys().data());
}

}  // namespace troth
