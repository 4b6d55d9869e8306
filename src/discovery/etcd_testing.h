#pragma once
// For tests against a real etcd: starts one on free ports in a directory of its own, and looks into
// it. Nothing here waits for more than kPatience.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "discovery/etcd_client.h"
#include "net/grpc_client.h"
#include "net/net_testing.h"

namespace troth {

inline constexpr std::chrono::seconds kPatience{30};

// Waits until `condition` holds; false when it does not in time.
bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds time = kPatience);

// Field `number` (below 16) of an encoded message: a short text, or a number.
std::string EncodedField(int number, std::string_view text);
std::string EncodedField(int number, int64_t value);

class EtcdServer {
 public:
  // Starts it; tests call answers() before they rely on it.
  EtcdServer();
  // Kills it and removes its directory.
  ~EtcdServer();
  EtcdServer(const EtcdServer&) = delete;

  std::string address() const;  // "127.0.0.1:port"
  // Starts it again on the same ports, with the data it had.
  void Start();
  // SIGKILL.
  void Kill();
  // Forgets all data; only while it does not run.
  void EmptyData() const;

  // Whoever looks into it from now on is this user.
  void LogIn(std::string user, std::string password);

  // Each waits for the answer. Errors fail the test, except where a status is returned.
  bool Answers();
  std::vector<EtcdEntry> List(std::string_view prefix);
  void Put(std::string_view key, std::string_view value);
  void PutAll(const std::vector<std::pair<std::string, std::string>>& entries);
  void Delete(std::string_view key);
  Status Revoke(int64_t lease);
  int64_t Revision();
  // A call this project never makes: `request` is an encoded message.
  net::GrpcStatus Call(std::string_view path, std::string_view request);

 private:
  EtcdOptions Options() const;  // of whoever looks into it

  const uint16_t client_port_;
  const uint16_t peer_port_;
  std::string directory_;
  int pid_ = -1;

  net::LoopThread loop_;
  std::unique_ptr<EtcdClient> client_;
  std::shared_ptr<net::Channel> channel_;
};

}  // namespace troth
