#pragma once
// The calls of a Consul agent's HTTP API that registration and watching need. For one loop's
// thread. No callback is made inside the call that asked for it, and none once the client is gone.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "discovery/lifeline.h"
#include "discovery/registry.h"
#include "net/http1_client.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth {

struct ConsulOptions {
  std::string host;                      // "h:8500"
  std::shared_ptr<net::TlsContext> tls;  // null: plain HTTP
  std::string token;                     // of an ACL; empty: none
  std::string user;                      // HTTP basic authentication; empty: none
  std::string password;
  std::string name_space;  // of Consul Enterprise; empty: the default one
  std::string partition;
  Duration call_timeout = Seconds(3);  // but for Health, which waits
};

// What Health found, and the state of Consul it belongs to.
struct ConsulHealth {
  uint64_t index = 0;
  std::vector<ServiceInstance> instances;
};

class ConsulClient {
 public:
  using StatusFn = std::function<void(Status)>;
  using HealthFn = std::function<void(StatusOr<ConsulHealth>)>;

  ConsulClient(net::Loop& loop, ConsulOptions options);
  ConsulClient(const ConsulClient&) = delete;

  // `body` as EncodeConsulService makes it. Replaces what is there.
  void Register(std::string_view body, StatusFn done);
  // A heartbeat. NotFound when the agent does not know the check (any more).
  void Pass(std::string_view check, StatusFn done);
  // Also OK when there is no such service.
  void Deregister(std::string_view id, StatusFn done);
  // The passing instances of a service as soon as they differ from those at `index`, or after
  // `wait`; at once with index 0. Returns an id for Cancel.
  uint64_t Health(std::string_view name, uint64_t index, Duration wait, HealthFn done);
  // The callback of that call does not come.
  void Cancel(uint64_t id) { http_.Cancel(id); }

  // "consul at h:8500"; with the last error when the last call failed.
  std::string Describe() const;

 private:
  using Answer = StatusOr<net::HttpClientResponse>;

  uint64_t Send(std::string_view method,
                std::string_view path,
                std::string_view query,
                std::string_view body,
                Duration timeout,
                std::function<void(Answer)> done);
  void Change(std::string_view path, std::string_view body, StatusFn done);
  Answer Checked(std::string_view path, Answer answer);

  const ConsulOptions options_;
  std::string base_;   // "http://h:8500"
  std::string scope_;  // "&ns=...&partition=..."
  std::string authorization_;
  net::HttpClient http_;
  std::string trouble_;  // of the last call; empty when it went well
  Lifeline lifeline_;
};

}  // namespace troth
