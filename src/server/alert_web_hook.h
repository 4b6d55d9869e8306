#pragma once
// AlertWebHook: tells a URL that a branch keeps failing (protocol/server.md 7.3). Alerts that
// cannot be delivered are logged and dropped: the transaction goes on being retried either way.

#include <atomic>
#include <string>

#include "base/status.h"
#include "engine/action.h"
#include "net/http1_client.h"
#include "net/loop.h"

namespace troth {

// The body of an alert: branch, error, gid, retry_count, status.
std::string AlertJson(const Alert& alert);

class AlertWebHook {
 public:
  // `url` is http or https; `loop` outlives it. Destroy it when the loop has ended.
  AlertWebHook(net::Loop& loop, std::string url, Duration timeout);

  // Any thread; takes what it needs and returns at once.
  void Send(const Alert& alert);

 private:
  void Post(const std::string& gid, const std::string& body);
  void OnAnswer(const std::string& gid, const StatusOr<net::HttpClientResponse>& answer);

  net::Loop& loop_;
  const std::string url_;
  const Duration timeout_;
  net::HttpClient client_;
  std::atomic<size_t> open_{0};
};

}  // namespace troth
