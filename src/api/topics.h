#pragma once
// Topics of messages: name -> subscribers, kept as KV records of category "topics"
// (protocol/server.md 7.1). A message names a topic instead of a URL and is expanded when it is
// saved.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/trans_input.h"
#include "base/status.h"
#include "store/store.h"

namespace troth {

inline constexpr std::string_view kTopicsCategory = "topics";

// Reading is thread-safe and never blocks on the store. Changing blocks: call it on a store thread.
class Topics final : public TopicReader {
 public:
  std::vector<std::string> Subscribers(std::string_view topic) const override;

  // Reads all topics anew and replaces what is known as a whole, so that deleted ones vanish.
  Status Refresh(Store& store);

  // Error texts are dtm's: "empty topic", "empty url", "this url exists", "no such a topic" ...
  Status Subscribe(
      Store& store, std::string topic, std::string url, std::string remark, TimePoint now);
  Status Unsubscribe(Store& store, const std::string& topic, const std::string& url, TimePoint now);
  Status Delete(Store& store, const std::string& topic);

 private:
  using Map = std::map<std::string, std::vector<std::string>, std::less<>>;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Map> topics_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Map>();
};

}  // namespace troth
