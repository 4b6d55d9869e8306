#pragma once
// The calls of etcd's v3 API that registration and watching need, over one gRPC connection at a
// time to one of several hosts. A host that does not answer is left for the next one.
//
// For one loop's thread. No callback is made inside the call that asked for it. After Close, or
// once the client is gone, no callback comes any more.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth {

struct EtcdOptions {
  std::vector<std::string> hosts;  // at least one
  std::string user;                // empty: no authentication
  std::string password;
  std::shared_ptr<net::TlsContext> tls;  // null: plain text
  Duration call_timeout = Seconds(3);    // each unary call, on each host
  Duration reconnect_max = Seconds(1);   // longest pause between connection attempts
  Duration keepalive_interval =
      Seconds(10);  // etcd closes connections that ping more than every 5 s
  Duration keepalive_timeout = Seconds(5);
};

struct EtcdEntry {
  std::string key;
  std::string value;
  int64_t mod_revision = 0;
  int64_t lease = 0;
};

struct EtcdRange {
  int64_t revision = 0;  // as of which the entries are
  std::vector<EtcdEntry> entries;
};

struct EtcdEvent {
  bool deleted = false;
  EtcdEntry entry;  // only its key and mod_revision when deleted
};

// An open stream. Destroying it ends it silently.
class EtcdStream {
 public:
  virtual ~EtcdStream() = default;
};

class EtcdKeepAlive : public EtcdStream {
 public:
  // Asks for one more life of the lease; the answer comes as on_ttl.
  virtual void Send() = 0;
};

class EtcdClient {
 public:
  using StatusFn = std::function<void(Status)>;
  using RangeFn = std::function<void(StatusOr<EtcdRange>)>;
  using LeaseFn = std::function<void(StatusOr<int64_t>)>;
  using EventsFn = std::function<void(std::vector<EtcdEvent>)>;

  static std::unique_ptr<EtcdClient> Make(net::Loop& loop, EtcdOptions options);
  virtual ~EtcdClient() = default;

  // The key alone, or with `prefix` all keys that begin with it.
  virtual void Range(std::string_view key, bool prefix, RangeFn done) = 0;
  virtual void Put(std::string_view key, std::string_view value, int64_t lease, StatusFn done) = 0;
  virtual void Delete(std::string_view key, StatusFn done) = 0;
  virtual void GrantLease(Duration ttl, LeaseFn done) = 0;
  virtual void RevokeLease(int64_t lease, StatusFn done) = 0;

  // Answers come as the time the lease has left; 0: there is no such lease. on_end comes at most
  // once, when the stream broke.
  virtual std::unique_ptr<EtcdKeepAlive> KeepAlive(int64_t lease,
                                                   std::function<void(Duration ttl)> on_ttl,
                                                   StatusFn on_end) = 0;
  // Every change of keys with this prefix from `start_revision` on. on_end comes at most once, when
  // no more changes will come: the connection broke, or OutOfRange when `start_revision` was
  // compacted away. List again then.
  virtual std::unique_ptr<EtcdStream> Watch(std::string_view prefix,
                                            int64_t start_revision,
                                            EventsFn on_events,
                                            StatusFn on_end) = 0;

  // Called each time a connection is made: what failed for want of one is worth trying now.
  virtual void OnConnected(std::function<void()> listener) = 0;
  // "etcd at h1:2379 (connected)"; with the last error when it is not.
  virtual std::string Describe() const = 0;
};

}  // namespace troth
