#include "api/json_schema.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/text.h"

namespace troth {

namespace json = boost::json;

namespace {

bool IsOfType(std::string_view type, const json::value& value) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  return type == "number" && value.is_number();
}

std::string Shown(const json::value& value) {
  constexpr size_t kShownMax = 100;
  return json::serialize(value).substr(0, kShownMax);
}

}  // namespace

const json::value& JsonSchemas::Resolve(const json::value& value) const {
  const json::object* const object = value.if_object();
  const json::value* const reference = object == nullptr ? nullptr : object->if_contains("$ref");
  if (reference == nullptr) return value;
  return Resolve(file_.at_pointer(std::string(reference->as_string()).substr(1)));
}

std::vector<std::string> JsonSchemas::Problems(const json::value& schema,
                                               const json::value& value) const {
  Problem problems;
  Check(schema, value, "", problems);
  return problems;
}

void JsonSchemas::Check(const json::value& reference,
                        const json::value& value,
                        const std::string& where,
                        Problem& problems) const {
  const json::object& schema = Resolve(reference).as_object();
  if (const json::value* const choices = schema.if_contains("oneOf")) {
    const bool fits = std::ranges::any_of(choices->as_array(), [&](const json::value& choice) {
      return Problems(choice, value).empty();
    });
    if (!fits) problems.push_back(Cat(where, ": fits none of oneOf: ", Shown(value)));
  }
  if (const json::value* const type = schema.if_contains("type")) {
    if (!IsOfType(std::string_view(type->as_string()), value)) {
      return problems.push_back(
          Cat(where, ": not of type ", std::string_view(type->as_string()), ": ", Shown(value)));
    }
  }
  if (const json::value* const wanted = schema.if_contains("const"); wanted && *wanted != value) {
    problems.push_back(Cat(where, ": not ", Shown(*wanted), ": ", Shown(value)));
  }
  if (const json::value* const values = schema.if_contains("enum")) {
    if (std::ranges::find(values->as_array(), value) == values->as_array().end()) {
      problems.push_back(Cat(where, ": not in enum: ", Shown(value)));
    }
  }
  if (value.is_object()) CheckObject(schema, value.get_object(), where, problems);
  if (const json::value* const items = schema.if_contains("items"); items && value.is_array()) {
    for (const json::value& item : value.get_array()) {
      Check(*items, item, Cat(where, "[]"), problems);
    }
  }
}

void JsonSchemas::CheckObject(const json::object& schema,
                              const json::object& value,
                              const std::string& where,
                              Problem& problems) const {
  if (const json::value* const required = schema.if_contains("required")) {
    for (const json::value& name : required->as_array()) {
      if (value.contains(name.as_string())) continue;
      problems.push_back(Cat(where, ": no ", std::string_view(name.as_string())));
    }
  }
  const json::value* const properties = schema.if_contains("properties");
  const json::value* const others = schema.if_contains("additionalProperties");
  for (const auto& [name, member] : value) {
    const std::string at = Cat(where, "/", std::string_view(name));
    const json::value* const described =
        properties == nullptr ? nullptr : properties->as_object().if_contains(name);
    if (described != nullptr) {
      Check(*described, member, at, problems);
    } else if (others != nullptr && others->is_object()) {
      Check(*others, member, at, problems);
    } else if (properties != nullptr && others == nullptr) {
      problems.push_back(Cat(at, ": not described"));
    }
  }
}

}  // namespace troth
