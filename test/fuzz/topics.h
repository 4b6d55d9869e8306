#pragma once
// Topics for requests whose steps name some.

#include <string>
#include <string_view>
#include <vector>

#include "api/trans_input.h"

namespace troth::fuzz {

// The topic "t" has two subscribers, every other one none.
class TwoTopics final : public TopicReader {
 public:
  std::vector<std::string> Subscribers(std::string_view topic) const override {
    if (topic != "t") return {};
    return {"http://h/1", "http://h/2"};
  }
};

// How many kinds of requests there are.
inline constexpr int kRequestKinds = static_cast<int>(RequestKind::kResetNextCronTime) + 1;

}  // namespace troth::fuzz
