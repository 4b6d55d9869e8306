#pragma once
// Transactions in Redis, in dtm's own keys and values (protocol/stores.md 7), so that dtm servers
// can use them before, after and at the same time. Any number of servers share one Redis.
//
// A creation and a change are one script each; all saves of a Commit go out in one write. What an
// acknowledgement is worth is what Redis is configured for: see docs/stores.md.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "store/redis/socket.h"
#include "store/store.h"

namespace troth {

struct RedisOptions {
  // One: that server. Several: nodes of a cluster, or Sentinels when sentinel_master is set.
  std::vector<redis::Endpoint> servers;
  std::string sentinel_master;  // how the Sentinels call it
  std::string user;             // empty: the default account
  std::string password;
  std::string sentinel_password;             // of the Sentinels themselves
  std::optional<redis::TlsFiles> tls = {};   // to Redis and to the Sentinels
  std::string prefix = "{a}";                // of all keys; the hash tag keeps them in one slot
  Duration keep_finished = Seconds(86'400);  // then Redis removes them; 0: never
  // Failed calls that are shown with a transaction (ADR 13) are forgotten so long after the last
  // one.
  Duration keep_calls = Seconds(604'800);
  size_t batch_max = 64;  // saves carried out together; more than 64 are not
  // Replicas that must say that they have a save before it counts as stored, and how long they may
  // take; with fewer it is kUnknown. Then what Load finds counts only when they have it, too.
  int64_t wait_replicas = 0;
  std::chrono::milliseconds wait_timeout{1000};
  // How long a call rides out a failover, a restart or a lost connection.
  std::chrono::milliseconds patience{5000};
};

// Reads Store.Host and Store.Port: "host", or a comma list of "host:port".
StatusOr<std::vector<redis::Endpoint>> ParseRedisServers(std::string_view host, uint16_t port);

// Waits for Redis as long as options.patience. FailedPrecondition when it would lose transactions
// by itself (it evicts keys), or when the prefix cannot be used in a cluster. Warns in the log when
// what it acknowledges may be lost with the machine.
StatusOr<std::unique_ptr<Store>> OpenRedisStore(RedisOptions options);

// Removes every key with the prefix, and nothing else.
Status ResetRedisStore(RedisOptions options);

}  // namespace troth
