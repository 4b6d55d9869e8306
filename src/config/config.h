#pragma once
// The configuration of the server: parsed and checked once at the start into a value that cannot be
// wrong, then passed by value to whoever needs a part of it. docs/configuration.md is its manual.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "base/time.h"
#include "config/sources.h"

namespace troth {

enum class StoreDriver : uint8_t { kEmbedded, kMemory, kRedis, kMysql, kPostgres };

// Our name of the driver; dtm's `boltdb` is the embedded one.
std::string_view StoreDriverName(StoreDriver driver);

// How connections to a shared store are protected.
enum class StoreTlsMode : uint8_t {
  kOff,
  kEncrypt,  // without a look at who answers
  kVerify,   // by a certificate of the store's name that the CA has signed
};
struct StoreTlsConfig {
  StoreTlsMode mode = StoreTlsMode::kOff;
  std::string ca_path;    // PEM; empty: the system's store
  std::string cert_path;  // ours, for stores that ask for one; may be empty
  std::string cert_key_path;
};
std::string_view StoreTlsModeName(StoreTlsMode mode);

// What a driver does not use has its default here.
struct StoreConfig {
  StoreDriver driver = StoreDriver::kEmbedded;
  std::string path;  // folder of the embedded store; never empty with it
  std::string host;  // redis: a comma list of host:port means a cluster
  uint16_t port = 0;
  std::string user;
  std::string password;
  std::string db;
  std::string schema;
  int64_t max_open_conns = 0;  // 0: no bound
  int64_t max_idle_conns = 0;
  Duration conn_max_lifetime{};  // 0: as long as it works
  // Embedded and memory: finished transactions are kept so long, 0 for ever. Redis: failed calls
  // are shown so long.
  Duration data_expire{};
  Duration finished_data_expire{};
  std::string redis_prefix;
  int64_t batch_max = 0;  // SQL, Redis: transactions committed at once
  // SQL: finished transactions are kept so long, 0 for ever, as dtm does.
  Duration purge_finished_after{};
  StoreTlsConfig tls;
  std::optional<std::chrono::minutes> utc_offset;  // mysql: of its times; Config::utc_offset
  std::string sentinel_master;    // redis: `host` lists Sentinels, who call the master so
  std::string sentinel_password;  // of the Sentinels
  // Redis: replicas that must have a save before it is acknowledged, and how long they may take.
  int64_t redis_wait_replicas = 0;
  Duration redis_wait_timeout{};
};

// Where this server registers itself; discovery/ knows the drivers and what a Target means.
struct MicroServiceConfig {
  std::string driver;
  std::string target;
  std::string endpoint;
  int64_t weight = 100;  // of the calls of Kratos's clients, against other servers of the name
};

// TLS of calls to services: PEM files, each may be empty.
struct OutgoingTlsConfig {
  std::string ca_path;    // who signs the services' certificates; empty: the system's store
  std::string cert_path;  // ours, for services that ask for one
  std::string cert_key_path;

  // Whether the operator has said anything: instances' secure endpoints are used then.
  bool set() const { return !ca_path.empty() || !cert_path.empty() || !cert_key_path.empty(); }
};

// TLS of our own ports, both of them; PEM files.
struct ListenTlsConfig {
  std::string cert_path;  // empty: plain text, as dtm
  std::string cert_key_path;
  std::string client_ca_path;  // only clients with a certificate it signed; empty: everybody

  bool set() const { return !cert_path.empty(); }
};

// How calls are spread over the endpoints of a service.
enum class GrpcBalance : uint8_t { kRoundRobin, kLeastLoaded };

struct Config {
  uint16_t http_port = 0;  // 0: a free one, chosen by the system
  uint16_t grpc_port = 0;
  int shards = 0;  // 0: one per core
  Duration retry_interval{};
  Duration retry_interval_max{};  // where its doubling ends
  Duration timeout_to_fail{};     // not less than retry_interval
  Duration request_timeout{};
  // Told about branches that keep failing, after so many doublings of the retry interval; empty:
  // nobody.
  std::string alert_web_hook;
  int64_t alert_retry_limit = 0;
  bool wait_result_strict = false;  // a saga or msg that goes on is no failure to who waits for it
  StoreConfig store;
  MicroServiceConfig micro_service;
  OutgoingTlsConfig outgoing_tls;
  ListenTlsConfig listen_tls;
  GrpcBalance grpc_balance = GrpcBalance::kRoundRobin;
  LogOptions log;  // carries utc_offset too
  // Ahead of UTC, for times in answers and logs; unset: the machine's time zone.
  std::optional<std::chrono::minutes> utc_offset;
  // For the log, a line each: unknown keys, keys without effect, dangerous choices.
  std::vector<std::string> warnings;
};

// Defaults, then the environment, then the file if there is one; the later wins. TellConfigFailure
// tells its errors.
StatusOr<Config> LoadConfig(const std::optional<std::string>& file, const Environment& environment);
// The same with the text of the file, if there is one.
StatusOr<Config> ParseConfig(const std::optional<std::string>& text,
                             const Environment& environment);

// How dtm tells a start that failed: the text for stderr, whole lines, and the exit code.
struct ConfigFailure {
  std::string text;
  int exit_code = 1;
};
ConfigFailure TellConfigFailure(const Status& status);

// The effective configuration as indented JSON for the log; passwords are masked.
std::string DescribeConfig(const Config& config);

// The text, a Target or other URL, without the passwords in it.
std::string MaskSecrets(std::string_view url);

}  // namespace troth
