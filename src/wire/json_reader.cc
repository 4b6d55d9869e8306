#include "wire/json_reader.h"

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/text.h"

namespace troth {
namespace {

namespace json = boost::json;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }
std::string_view View(json::string_view text) { return {text.data(), text.size()}; }

std::string_view KindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "bool";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "number";
    case json::kind::string: return "string";
    case json::kind::array: return "array";
    case json::kind::object: return "object";
  }
  return "value";
}

// dtm's decoder says the same with the name of a Go type in it.
Status WrongType(const json::value& value, std::string_view key, std::string_view wanted) {
  return InvalidArgument(
      Cat("json: cannot unmarshal ", KindName(value), " into field ", key, " of type ", wanted));
}

StatusOr<json::value> ParseValue(std::string_view text, const json::storage_ptr& memory = {}) {
  if (TrimSpace(text).empty()) return InvalidArgument("unexpected end of JSON input");
  boost::system::error_code failed;
  json::value value = json::parse({text.data(), text.size()}, failed, memory);
  if (failed) return InvalidArgument(Cat("invalid JSON: ", failed.message()));
  return value;
}

using StringMap = std::map<std::string, std::string>;

// take(name, text) for each member; null is an empty text.
template <typename Take>
Status ForEachString(const json::value& value, std::string_view key, Take take) {
  if (value.is_array() && value.get_array().empty()) return OkStatus();
  if (!value.is_object()) return WrongType(value, key, "object of strings");
  for (const auto& [name, member] : value.get_object()) {
    if (!member.is_null() && !member.is_string()) {
      return WrongType(member, Cat(key, ".", View(name)), "string");
    }
    take(View(name), member.is_null() ? std::string_view() : View(member.get_string()));
  }
  return OkStatus();
}

Status ToStringMap(const json::value& value, std::string_view key, StringMap& out) {
  return ForEachString(value, key, [&out](std::string_view name, std::string_view text) {
    out[std::string(name)] = text;
  });
}

// take(number, name, text) for each member of each object; null is an object without members.
// Returns how many objects there are.
template <typename Take>
StatusOr<size_t> ForEachObject(const json::value& value, std::string_view key, Take take) {
  if (!value.is_array()) return WrongType(value, key, "array of objects");
  size_t number = 0;
  for (const json::value& element : value.get_array()) {
    if (!element.is_null()) {
      TROTH_RETURN_IF_ERROR(
          ForEachString(element, key, [&](std::string_view name, std::string_view text) {
            take(number, name, text);
          }));
    }
    ++number;
  }
  return number;
}

// Puts each member into the map of its object.
auto IntoMaps(std::vector<StringMap>& out) {
  return [&out](size_t number, std::string_view name, std::string_view text) {
    out.resize(number + 1);
    out[number][std::string(name)] = text;
  };
}

Status ToStringMaps(const json::value& value, std::string_view key, std::vector<StringMap>& out) {
  out.clear();
  TROTH_ASSIGN_OR_RETURN(const size_t count, ForEachObject(value, key, IntoMaps(out)));
  out.resize(count);
  return OkStatus();
}

}  // namespace

struct JsonObject::Impl {
  json::object object;

  // The last member of that name; nothing when it is absent or null.
  const json::value* Find(std::string_view key) const {
    const json::value* found = nullptr;
    for (const auto& member : object) {
      if (EqualsIgnoreCase(View(member.key()), key)) found = &member.value();
    }
    return found != nullptr && !found->is_null() ? found : nullptr;
  }
};

JsonObject::JsonObject(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

StatusOr<JsonObject> JsonObject::Parse(std::string_view text) {
  TROTH_ASSIGN_OR_RETURN(json::value value, ParseValue(text));
  auto impl = std::make_unique<Impl>();
  if (value.is_object()) {
    impl->object = std::move(value.get_object());
  } else if (!value.is_null()) {
    return InvalidArgument(
        Cat("json: cannot unmarshal ", KindName(value), " into an object; send {...}"));
  }
  return JsonObject(std::move(impl));
}

Status JsonObject::Read(std::string_view key, std::string& out) const {
  const json::value* value = impl_->Find(key);
  if (value == nullptr) return OkStatus();
  if (!value->is_string()) return WrongType(*value, key, "string");
  out = View(value->get_string());
  return OkStatus();
}

Status JsonObject::Read(std::string_view key, bool& out) const {
  const json::value* value = impl_->Find(key);
  if (value == nullptr) return OkStatus();
  if (!value->is_bool()) return WrongType(*value, key, "bool");
  out = value->get_bool();
  return OkStatus();
}

Status JsonObject::Read(std::string_view key, int64_t& out) const {
  const json::value* value = impl_->Find(key);
  if (value == nullptr) return OkStatus();
  if (!value->is_int64()) return WrongType(*value, key, "int64");
  out = value->get_int64();
  return OkStatus();
}

Status JsonObject::ReadStrings(std::string_view key, std::vector<std::string>& out) const {
  const json::value* value = impl_->Find(key);
  if (value == nullptr) return OkStatus();
  if (!value->is_array()) return WrongType(*value, key, "array of strings");
  for (const json::value& element : value->get_array()) {
    if (!element.is_string() && !element.is_null()) return WrongType(element, key, "string");
    out.emplace_back(element.is_null() ? std::string_view() : View(element.get_string()));
  }
  return OkStatus();
}

Status JsonObject::ReadStringMap(std::string_view key, StringMap& out) const {
  const json::value* value = impl_->Find(key);
  return value == nullptr ? OkStatus() : ToStringMap(*value, key, out);
}

Status JsonObject::ReadStringMaps(std::string_view key, std::vector<StringMap>& out) const {
  const json::value* value = impl_->Find(key);
  return value == nullptr ? OkStatus() : ToStringMaps(*value, key, out);
}

Status JsonObject::ReadIntLists(
    std::string_view key, std::vector<std::pair<std::string, std::vector<int64_t>>>& out) const {
  const json::value* value = impl_->Find(key);
  if (value == nullptr) return OkStatus();
  if (!value->is_object()) return WrongType(*value, key, "object of arrays");
  for (const auto& member : value->get_object()) {
    out.emplace_back(View(member.key()), std::vector<int64_t>());
    if (member.value().is_null()) continue;
    if (!member.value().is_array()) return WrongType(member.value(), key, "array of integers");
    for (const json::value& element : member.value().get_array()) {
      if (!element.is_int64()) return WrongType(element, key, "integer");
      out.back().second.push_back(element.get_int64());
    }
  }
  return OkStatus();
}

StatusOr<StringMap> JsonObject::AllStrings() const {
  StringMap out;
  for (const auto& member : impl_->object) {
    const json::value& value = member.value();
    if (!value.is_string() && !value.is_null()) {
      return InvalidArgument(Cat("json: cannot unmarshal ",
                                 KindName(value),
                                 " into value of type string (key ",
                                 View(member.key()),
                                 ")"));
    }
    out[std::string(View(member.key()))] =
        value.is_null() ? std::string_view() : View(value.get_string());
  }
  return out;
}

StatusOr<size_t> ReadStringMaps(std::string_view text, TakeString take) {
  if (text.empty() || text == "null") return 0;
  // Steps are short and come with every submit: no heap for what lives only here.
  std::array<unsigned char, 4096> buffer;
  json::monotonic_resource memory(buffer.data(), buffer.size());
  TROTH_ASSIGN_OR_RETURN(const json::value value, ParseValue(text, &memory));
  return ForEachObject(value, "steps", take);
}

StatusOr<std::vector<StringMap>> ParseStringMaps(std::string_view text) {
  std::vector<StringMap> out;
  TROTH_ASSIGN_OR_RETURN(const size_t count, ReadStringMaps(text, IntoMaps(out)));
  out.resize(count);
  return out;
}

}  // namespace troth
