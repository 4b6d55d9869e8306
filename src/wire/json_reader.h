#pragma once
// Reads a JSON object the way dtm's decoder does (protocol/server.md 2.1): keys without regard to
// case, unknown keys ignored, null leaves the value as it is, a wrong type is an error that names
// the key.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/status.h"
#include "engine/transaction.h"

namespace troth {

class JsonObject {
 public:
  // InvalidArgument when `text` is no JSON object; "unexpected end of JSON input" when it is empty.
  static StatusOr<JsonObject> Parse(std::string_view text);
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  // Each leaves `out` alone when the key is absent or null.
  Status Read(std::string_view key, std::string& out) const;
  Status Read(std::string_view key, bool& out) const;
  Status Read(std::string_view key, int64_t& out) const;
  Status ReadStrings(std::string_view key, std::vector<std::string>& out) const;
  // {"a":"b"}; an empty array is accepted as an empty object, because PHP writes it so.
  Status ReadStringMap(std::string_view key, std::map<std::string, std::string>& out) const;
  // [{"a":"b"}, ...]
  Status ReadStringMaps(std::string_view key,
                        std::vector<std::map<std::string, std::string>>& out) const;
  // {"1":[0,2]}
  Status ReadIntLists(std::string_view key,
                      std::vector<std::pair<std::string, std::vector<int64_t>>>& out) const;
  // The whole object as a map of strings; any other value is an error.
  StatusOr<std::map<std::string, std::string>> AllStrings() const;

 private:
  struct Impl;
  explicit JsonObject(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A member of the object of that number, from 0. Null is "".
using TakeString =
    absl::FunctionRef<void(size_t number, std::string_view key, std::string_view string)>;

// A JSON array of objects of strings, as text (the Steps of gRPC). "" and "null" are an empty one,
// a null in it is an object without members. Returns how many objects there are; `take` is called
// for each member, object by object, also before an error is found.
StatusOr<size_t> ReadStringMaps(std::string_view text, TakeString take);
StatusOr<std::vector<std::map<std::string, std::string>>> ParseStringMaps(std::string_view text);

}  // namespace troth
