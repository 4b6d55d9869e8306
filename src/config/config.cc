#include "config/config.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"

namespace troth {
namespace {

namespace json = boost::json;

struct DriverName {
  std::string_view name;
  StoreDriver driver;
};
constexpr DriverName kDriverNames[] = {
    {"embedded", StoreDriver::kEmbedded},
    {"boltdb", StoreDriver::kEmbedded},
    {"rocksdb", StoreDriver::kEmbedded},
    {"memory", StoreDriver::kMemory},
    {"redis", StoreDriver::kRedis},
    {"mysql", StoreDriver::kMysql},
    {"postgres", StoreDriver::kPostgres},
};

// Variables dtm reads that are no configuration keys.
struct UnusedVariable {
  std::string_view name;
  std::string_view reason;
};
constexpr UnusedVariable kUnusedVariables[] = {
    {"IS_DOCKER", "localhost is called as it is written; use host.docker.internal in URLs"},
    {"DTM_DEBUG", "the log is plain text anyway; Log.Format chooses"},
    {"HTTP_PROXY", "branches are called directly"},
    {"HTTPS_PROXY", "branches are called directly"},
};

// A rule is broken. Told as `config error: '…'.`
Status RuleError(std::string_view message) { return InvalidArgument(message); }
// A value cannot even be read. Told as `fatal error: …`.
Status ReadError(std::string_view message) { return FailedPrecondition(message); }

StatusOr<StoreDriver> ParseDriver(const std::string& name) {
  const auto* const found = std::ranges::find(kDriverNames, name, &DriverName::name);
  if (found != std::end(kDriverNames)) return found->driver;
  std::vector<std::string> names;
  for (const DriverName& known : kDriverNames) names.emplace_back(known.name);
  return RuleError(Cat("Store.Driver ", name, " is not known; use one of ", JoinText(names, ", ")));
}

bool IsSql(StoreDriver driver) {
  return driver == StoreDriver::kMysql || driver == StoreDriver::kPostgres;
}

// dtm's own checks, in its order and with its texts; the first that fails wins.
Status CheckAsDtm(const Settings& settings, StoreDriver driver) {
  const int64_t retry_interval = settings.Integer("RetryInterval");
  const bool no_host = settings.Text("Store.Host").empty();
  const bool no_port = settings.Integer("Store.Port") == 0;
  if (retry_interval < 10) return RuleError("RetryInterval should not be less than 10");
  if (settings.Integer("TimeoutToFail") < retry_interval) {
    return RuleError("TimeoutToFail should not be less than RetryInterval");
  }
  if (IsSql(driver)) {
    if (no_host) return RuleError("Db host not valid ");
    if (no_port) return RuleError("Db port not valid ");
    if (settings.Text("Store.User").empty()) return RuleError("Db user not valid ");
    if (settings.Text("Store.Schema").empty()) return RuleError("Postgres schema not valid");
  }
  if (driver == StoreDriver::kRedis) {
    if (no_host) return RuleError("Redis host not valid");
    if (no_port) return RuleError("Redis port not valid");
  }
  return OkStatus();
}

// Empty when the key has an effect with this store.
std::string WhyUnused(const Key& key, StoreDriver driver) {
  if (!key.unused_because.empty()) return std::string(key.unused_because);
  if (key.stores.empty()) return {};
  const std::string_view used = StoreDriverName(driver);
  for (const std::string_view store : Split(key.stores, ',')) {
    if (TrimSpace(store) == used) return {};
  }
  return Cat("the store ", used, " does not use it; it is for ", key.stores);
}

Status CheckRanges(const Settings& settings, StoreDriver driver) {
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kInteger || !WhyUnused(key, driver).empty()) continue;
    const int64_t value = settings.Integer(key.name);
    if (value >= key.low && value <= key.high) continue;
    return RuleError(Cat(key.name, " should be from ", key.low, " to ", key.high, ", not ", value));
  }
  return OkStatus();
}

StatusOr<LogLevel> ParseLogLevel(const std::string& name) {
  const std::string lower = ToLower(name);
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info" || lower.empty()) return LogLevel::kInfo;
  if (lower == "warn") return LogLevel::kWarn;
  // The last three are dtm's names for still worse.
  for (const std::string_view error : {"error", "dpanic", "panic", "fatal"}) {
    if (lower == error) return LogLevel::kError;
  }
  return ReadError(
      Cat("unrecognized level: \"", name, "\" (LogLevel should be debug, info, warn or error)"));
}

StatusOr<json::object> ParseJsonObject(const Settings& settings, std::string_view key) {
  const std::string& text = settings.Text(key);
  boost::system::error_code error;
  const json::value parsed = json::parse(text, error);
  if (error) return ReadError(Cat(key, " is not JSON: ", error.message()));
  if (!parsed.is_object()) return ReadError(Cat(key, " should be a JSON object such as {}"));
  return parsed.get_object();
}

// A whole number of the object, or what stands for "not given".
StatusOr<int64_t> RotationNumber(const json::object& object,
                                 std::string_view name,
                                 int64_t when_missing) {
  static constexpr int64_t kMax =
      1 << 20;  // a terabyte, in megabytes; more files than a folder bears
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return when_missing;
  if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > kMax) {
    return ReadError(Cat("Log.RotationConfigJSON: ", name, " should be a number from 0 to ", kMax));
  }
  return value->get_int64();
}

Status ReadRotation(const Settings& settings, Config& config) {
  static constexpr int64_t kMegabytesDefault = 100;
  LogOptions& log = config.log;
  TROTH_ASSIGN_OR_RETURN(const json::object rotation,
                         ParseJsonObject(settings, "Log.RotationConfigJSON"));
  TROTH_ASSIGN_OR_RETURN(log.rotate_max_mb, RotationNumber(rotation, "maxsize", 0));
  if (log.rotate_max_mb == 0) log.rotate_max_mb = kMegabytesDefault;
  TROTH_ASSIGN_OR_RETURN(log.rotate_max_files, RotationNumber(rotation, "maxbackups", 0));
  log.rotate = settings.Integer("Log.RotationEnable") != 0;
  for (const auto& entry : rotation) {
    if (entry.key() == "maxsize" || entry.key() == "maxbackups") continue;
    config.warnings.push_back(Cat("Log.RotationConfigJSON: ",
                                  std::string_view(entry.key()),
                                  " has no effect; maxsize and maxbackups have"));
  }
  return OkStatus();
}

StatusOr<std::optional<std::chrono::minutes>> ParseUtcOffset(const std::string& text) {
  static constexpr int64_t kHoursMax = 23;
  if (text.empty()) return std::optional<std::chrono::minutes>();
  const std::optional<int64_t> hours = ParseInt(text);
  if (hours.has_value() && *hours >= -kHoursMax && *hours <= kHoursMax) {
    return std::optional<std::chrono::minutes>(std::chrono::hours(*hours));
  }
  return MakeStatus(StatusCode::kOutOfRange,
                    Cat("TimeZoneOffset should be whole hours such as +8, not ", text));
}

Status ReadLog(const Settings& settings, Config& config) {
  LogOptions& log = config.log;
  TROTH_ASSIGN_OR_RETURN(log.level, ParseLogLevel(settings.Text("LogLevel")));
  const std::string& format = settings.Text("Log.Format");
  if (format != "text" && format != "json") {
    return RuleError(Cat("Log.Format should be text or json, not ", format));
  }
  log.json = format == "json";
  log.outputs = settings.Text("Log.Outputs");
  TROTH_ASSIGN_OR_RETURN(config.utc_offset, ParseUtcOffset(settings.Text("TimeZoneOffset")));
  log.utc_offset = config.utc_offset;
  return ReadRotation(settings, config);
}

// The first policy of gRPC's list that we have; it stands as {"name":{}}.
std::optional<GrpcBalance> FirstKnownPolicy(const json::value& list) {
  if (!list.is_array()) return std::nullopt;
  for (const json::value& policy : list.get_array()) {
    const json::object* object = policy.if_object();
    if (object == nullptr) continue;
    if (object->contains("round_robin")) return GrpcBalance::kRoundRobin;
    if (object->contains("least_request_experimental")) return GrpcBalance::kLeastLoaded;
  }
  return std::nullopt;
}

Status ReadGrpcServiceConfig(const Settings& settings, Config& config) {
  if (settings.Text("GrpcServiceConfig").empty()) return OkStatus();  // as in dtm: the default
  TROTH_ASSIGN_OR_RETURN(const json::object object, ParseJsonObject(settings, "GrpcServiceConfig"));
  for (const auto& entry : object) {
    if (entry.key() == "loadBalancingConfig") continue;
    config.warnings.push_back(Cat("GrpcServiceConfig: ",
                                  std::string_view(entry.key()),
                                  " has no effect; loadBalancingConfig has"));
  }
  const json::value* list = object.if_contains("loadBalancingConfig");
  if (list == nullptr) return OkStatus();
  const std::optional<GrpcBalance> balance = FirstKnownPolicy(*list);
  if (!balance.has_value()) {
    config.warnings.push_back(
        "GrpcServiceConfig names no policy this server has (round_robin, "
        "least_request_experimental); round_robin is used");
  }
  config.grpc_balance = balance.value_or(GrpcBalance::kRoundRobin);
  return OkStatus();
}

StatusOr<StoreTlsConfig> ReadStoreTls(const Settings& settings) {
  const std::string& name = settings.Text("Store.TlsMode");
  for (const StoreTlsMode mode :
       {StoreTlsMode::kOff, StoreTlsMode::kEncrypt, StoreTlsMode::kVerify}) {
    if (name != StoreTlsModeName(mode)) continue;
    return StoreTlsConfig{.mode = mode,
                          .ca_path = settings.Text("Store.TlsCaPath"),
                          .cert_path = settings.Text("Store.TlsCertPath"),
                          .cert_key_path = settings.Text("Store.TlsCertKeyPath")};
  }
  return RuleError(Cat("Store.TlsMode should be off, encrypt or verify, not ", name));
}

Status ReadStore(const Settings& settings, StoreDriver driver, Config& config) {
  if (driver == StoreDriver::kEmbedded && settings.Text("Store.Path").empty()) {
    return RuleError("Store.Path should not be empty");
  }
  TROTH_ASSIGN_OR_RETURN(StoreTlsConfig tls, ReadStoreTls(settings));
  config.store = {
      .driver = driver,
      .path = settings.Text("Store.Path"),
      .host = settings.Text("Store.Host"),
      .port = static_cast<uint16_t>(settings.Integer("Store.Port")),
      .user = settings.Text("Store.User"),
      .password = settings.Text("Store.Password"),
      .db = settings.Text("Store.Db"),
      .schema = settings.Text("Store.Schema"),
      .max_open_conns = settings.Integer("Store.MaxOpenConns"),
      .max_idle_conns = settings.Integer("Store.MaxIdleConns"),
      .conn_max_lifetime = std::chrono::minutes(settings.Integer("Store.ConnMaxLifeTime")),
      .data_expire = Seconds(settings.Integer("Store.DataExpire")),
      .finished_data_expire = Seconds(settings.Integer("Store.FinishedDataExpire")),
      .redis_prefix = settings.Text("Store.RedisPrefix"),
      .batch_max = settings.Integer("Store.BatchMax"),
      .purge_finished_after = Seconds(settings.Integer("Store.PurgeFinishedAfter")),
      .tls = std::move(tls),
      .sentinel_master = settings.Text("Store.SentinelMaster"),
      .sentinel_password = settings.Text("Store.SentinelPassword"),
      .redis_wait_replicas = settings.Integer("Store.RedisWaitReplicas"),
      .redis_wait_timeout = Seconds(settings.Integer("Store.RedisWaitTimeout")),
  };
  return OkStatus();
}

StatusOr<ListenTlsConfig> ReadListenTls(const Settings& settings) {
  ListenTlsConfig tls{.cert_path = settings.Text("ListenTls.CertPath"),
                      .cert_key_path = settings.Text("ListenTls.CertKeyPath"),
                      .client_ca_path = settings.Text("ListenTls.ClientCaPath")};
  if (tls.cert_path.empty() != tls.cert_key_path.empty()) {
    return RuleError("ListenTls needs both CertPath and CertKeyPath, or neither");
  }
  if (!tls.set() && !tls.client_ca_path.empty()) {
    return RuleError(
        "ListenTls.ClientCaPath needs CertPath and CertKeyPath: without TLS no client can show a "
        "certificate");
  }
  return tls;
}

void WarnOfUnused(const Settings& settings,
                  const Environment& environment,
                  StoreDriver driver,
                  Config& config) {
  for (const Key& key : Keys()) {
    if (!settings.IsExplicit(key.name)) continue;
    const std::string reason = WhyUnused(key, driver);
    if (!reason.empty()) config.warnings.push_back(Cat(key.name, " has no effect: ", reason));
  }
  for (const UnusedVariable& variable : kUnusedVariables) {
    const auto found = environment.find(variable.name);
    if (found == environment.end() || found->second.empty()) continue;
    config.warnings.push_back(
        Cat("environment variable ", variable.name, " has no effect: ", variable.reason));
  }
}

void WarnOfUnusedTarget(Config& config) {
  const MicroServiceConfig& service = config.micro_service;
  if (service.driver != "default" || service.target.empty()) return;
  config.warnings.push_back(
      "MicroService.Target has no effect: the driver default registers nowhere; set "
      "MicroService.Driver, for example to dtm-driver-kratos");
}

void WarnOfDangers(const Settings& settings, Config& config) {
  if (config.store.driver == StoreDriver::kMemory) {
    config.warnings.push_back(
        "Store.Driver memory keeps nothing: what was acknowledged is lost when the process ends");
  }
  std::error_code ignored;
  const bool is_dtm_store = settings.Text("Store.Driver") == "boltdb";
  if (is_dtm_store && std::filesystem::exists("dtm.bolt", ignored)) {
    config.warnings.push_back(
        "./dtm.bolt, the store of a dtm server, is not read: transactions in it stay unfinished "
        "until that dtm server finishes them");
  }
}

StatusOr<Config> MakeConfig(const Settings& settings, const Environment& environment) {
  // dtm checks the store's name last of all; the other rules depend on it.
  const StatusOr<StoreDriver> driver = ParseDriver(settings.Text("Store.Driver"));
  TROTH_RETURN_IF_ERROR(CheckAsDtm(settings, driver.value_or(StoreDriver::kEmbedded)));
  TROTH_RETURN_IF_ERROR(driver.status());
  TROTH_RETURN_IF_ERROR(CheckRanges(settings, *driver));
  Config config{
      .http_port = static_cast<uint16_t>(settings.Integer("HttpPort")),
      .grpc_port = static_cast<uint16_t>(settings.Integer("GrpcPort")),
      .shards = static_cast<int>(settings.Integer("Shards")),
      .retry_interval = Seconds(settings.Integer("RetryInterval")),
      .retry_interval_max = Seconds(settings.Integer("RetryIntervalMax")),
      .timeout_to_fail = Seconds(settings.Integer("TimeoutToFail")),
      .request_timeout = Seconds(settings.Integer("RequestTimeout")),
      .alert_web_hook = settings.Text("AlertWebHook"),
      .alert_retry_limit = settings.Integer("AlertRetryLimit"),
      .wait_result_strict = settings.Integer("WaitResultStrict") != 0,
      .store = {},
      .micro_service = {.driver = settings.Text("MicroService.Driver"),
                        .target = settings.Text("MicroService.Target"),
                        .endpoint = settings.Text("MicroService.EndPoint"),
                        .weight = settings.Integer("MicroService.Weight")},
      .outgoing_tls = {.ca_path = settings.Text("OutgoingTls.CaPath"),
                       .cert_path = settings.Text("OutgoingTls.CertPath"),
                       .cert_key_path = settings.Text("OutgoingTls.CertKeyPath")},
      .listen_tls = {},
      .log = {},
      .utc_offset = {},
      .warnings = settings.warnings,
  };
  TROTH_ASSIGN_OR_RETURN(config.listen_tls, ReadListenTls(settings));
  TROTH_RETURN_IF_ERROR(ReadStore(settings, *driver, config));
  TROTH_RETURN_IF_ERROR(ReadLog(settings, config));
  config.store.utc_offset = config.utc_offset;
  TROTH_RETURN_IF_ERROR(ReadGrpcServiceConfig(settings, config));
  WarnOfUnused(settings, environment, *driver, config);
  WarnOfUnusedTarget(config);
  WarnOfDangers(settings, config);
  return config;
}

}  // namespace

std::string_view StoreTlsModeName(StoreTlsMode mode) {
  switch (mode) {
    case StoreTlsMode::kOff: return "off";
    case StoreTlsMode::kEncrypt: return "encrypt";
    case StoreTlsMode::kVerify: return "verify";
  }
  std::abort();  // not one of the values: memory is corrupt
}

std::string_view StoreDriverName(StoreDriver driver) {
  switch (driver) {
    case StoreDriver::kEmbedded: return "embedded";
    case StoreDriver::kMemory: return "memory";
    case StoreDriver::kRedis: return "redis";
    case StoreDriver::kMysql: return "mysql";
    case StoreDriver::kPostgres: return "postgres";
  }
  std::abort();  // not one of the values: memory is corrupt
}

StatusOr<Config> LoadConfig(const std::optional<std::string>& file,
                            const Environment& environment) {
  if (!file.has_value()) return ParseConfig(std::nullopt, environment);
  // dtm tells a variable that is no number before a file that is not there.
  Settings ignored;
  TROTH_RETURN_IF_ERROR(ReadEnvironment(environment, ignored));
  TROTH_ASSIGN_OR_RETURN(std::string text, ReadConfigFile(*file));
  return ParseConfig(std::move(text), environment);
}

StatusOr<Config> ParseConfig(const std::optional<std::string>& text,
                             const Environment& environment) {
  Settings settings;
  TROTH_RETURN_IF_ERROR(ReadEnvironment(environment, settings));
  if (text.has_value()) TROTH_RETURN_IF_ERROR(ReadYaml(*text, settings));
  return MakeConfig(settings, environment);
}

ConfigFailure TellConfigFailure(const Status& status) {
  const std::string_view message = Message(status);
  if (status.code() == StatusCode::kInvalidArgument) {
    return {.text = Cat("config error: '", message, "'.\n\tsee docs/configuration.md\n"),
            .exit_code = 1};
  }
  // dtm panics when a variable is no number, which ends a Go process with 2.
  return {.text = Cat("fatal error: ", message, "\n"),
          .exit_code = status.code() == StatusCode::kOutOfRange ? 2 : 1};
}

}  // namespace troth
