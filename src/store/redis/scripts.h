#pragma once
// The Lua scripts of the Redis store. Each is one atomic step on dtm's own keys and values
// (protocol/stores.md 7), so that servers of both kinds may take turns with them. scripts.cc and
// save_scripts.h say what each takes and returns.

#include <string>
#include <string_view>
#include <vector>

namespace troth::redis {

class Script {
 public:
  explicit Script(std::string_view text);
  const std::string& text() const { return text_; }
  // What EVALSHA calls it by.
  const std::string& sha() const { return sha_; }

 private:
  std::string text_;
  std::string sha_;
};

struct Scripts {
  Scripts();

  const Script create, create_many, change, change_many;
  const Script load, claim, keep, reset, purge, try_all, update_kv;

  // For Client: all of them.
  std::vector<std::string> Texts() const;
};

}  // namespace troth::redis
