#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "base/text.h"
#include "config/config.h"

namespace troth {
namespace {

namespace json = boost::json;

constexpr std::string_view kMask = "******";

std::string MaskAll(std::string_view secret) { return secret.empty() ? "" : std::string(kMask); }

// "user:secret@host" -> "user:******@host". Some people put a "/" or an "@" into their password, so
// everything up to the last "@" before the query counts as the credentials.
std::string MaskCredentials(std::string_view text) {
  const size_t scheme = text.find("://");
  const size_t begin = scheme == text.npos ? 0 : scheme + 3;
  const size_t at = text.rfind('@');
  if (at == text.npos || at < begin) return std::string(text);
  const std::string_view credentials = text.substr(begin, at - begin);
  const std::string_view user = credentials.substr(0, credentials.find(':'));
  const std::string_view colon = user.size() == credentials.size() ? "" : ":";
  return Cat(text.substr(0, begin), user, colon, colon.empty() ? "" : kMask, text.substr(at));
}

bool IsSecretName(std::string_view name) {
  static constexpr std::string_view kSecretWords[] = {"pass", "pwd", "secret", "token", "auth"};
  const std::string lower = ToLower(name);
  return std::ranges::any_of(kSecretWords,
                             [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

std::string MaskQuery(std::string_view query) {
  std::string out;
  for (const std::string_view pair : Split(query, '&')) {
    if (!out.empty()) out += '&';
    const std::string_view name = pair.substr(0, pair.find('='));
    if (name.size() < pair.size() && IsSecretName(name)) {
      CatTo(out, name, "=", kMask);
    } else {
      out += pair;
    }
  }
  return out;
}

void AppendIndented(std::string& out, const json::value& value, size_t depth) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    out += json::serialize(value);
    return;
  }
  std::string_view separator = "{\n";
  for (const auto& entry : *object) {
    out += std::exchange(separator, ",\n");
    out.append(2 * (depth + 1), ' ');
    CatTo(out, json::serialize(entry.key()), ": ");
    AppendIndented(out, entry.value(), depth + 1);
  }
  out += '\n';
  out.append(2 * depth, ' ');
  out += '}';
}

int64_t InSeconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
  }
  std::abort();  // not one of the values: memory is corrupt
}

std::string_view BalanceName(GrpcBalance balance) {
  switch (balance) {
    case GrpcBalance::kRoundRobin: return "round_robin";
    case GrpcBalance::kLeastLoaded: return "least_request_experimental";
  }
  std::abort();  // not one of the values: memory is corrupt
}

json::object DescribeStore(const StoreConfig& store) {
  return {
      {"Driver", StoreDriverName(store.driver)},
      {"Path", store.path},
      {"Host", MaskSecrets(store.host)},
      {"Port", store.port},
      {"User", store.user},
      {"Password", MaskAll(store.password)},
      {"Db", store.db},
      {"Schema", store.schema},
      {"MaxOpenConns", store.max_open_conns},
      {"MaxIdleConns", store.max_idle_conns},
      {"ConnMaxLifeTime", InSeconds(store.conn_max_lifetime) / 60},
      {"DataExpire", InSeconds(store.data_expire)},
      {"FinishedDataExpire", InSeconds(store.finished_data_expire)},
      {"RedisPrefix", store.redis_prefix},
      {"BatchMax", store.batch_max},
      {"PurgeFinishedAfter", InSeconds(store.purge_finished_after)},
      {"TlsMode", StoreTlsModeName(store.tls.mode)},
      {"TlsCaPath", store.tls.ca_path},
      {"TlsCertPath", store.tls.cert_path},
      {"TlsCertKeyPath", store.tls.cert_key_path},
      {"SentinelMaster", store.sentinel_master},
      {"SentinelPassword", MaskAll(store.sentinel_password)},
      {"RedisWaitReplicas", store.redis_wait_replicas},
      {"RedisWaitTimeout", InSeconds(store.redis_wait_timeout)},
  };
}

json::object DescribeLog(const LogOptions& log) {
  return {
      {"Format", log.json ? "json" : "text"},
      {"Outputs", log.outputs},
      {"RotationEnable", log.rotate ? 1 : 0},
      {"RotationConfigJSON",
       Cat(R"({"maxsize":)", log.rotate_max_mb, R"(,"maxbackups":)", log.rotate_max_files, "}")},
  };
}

json::object Describe(const Config& config) {
  const MicroServiceConfig& service = config.micro_service;
  const std::string offset =
      config.utc_offset.has_value() ? Cat(config.utc_offset->count() / 60) : "";
  return {
      {"Store", DescribeStore(config.store)},
      {"TimeoutToFail", InSeconds(config.timeout_to_fail)},
      {"RetryInterval", InSeconds(config.retry_interval)},
      {"RequestTimeout", InSeconds(config.request_timeout)},
      {"AlertRetryLimit", config.alert_retry_limit},
      {"AlertWebHook", MaskSecrets(config.alert_web_hook)},
      {"HttpPort", config.http_port},
      {"GrpcPort", config.grpc_port},
      {"MicroService",
       {{"Driver", service.driver},
        {"Target", MaskSecrets(service.target)},
        {"EndPoint", MaskSecrets(service.endpoint)},
        {"Weight", service.weight}}},
      {"OutgoingTls",
       {{"CaPath", config.outgoing_tls.ca_path},
        {"CertPath", config.outgoing_tls.cert_path},
        {"CertKeyPath", config.outgoing_tls.cert_key_path}}},
      {"ListenTls",
       {{"CertPath", config.listen_tls.cert_path},
        {"CertKeyPath", config.listen_tls.cert_key_path},
        {"ClientCaPath", config.listen_tls.client_ca_path}}},
      {"WaitResultStrict", config.wait_result_strict ? 1 : 0},
      {"RetryIntervalMax", InSeconds(config.retry_interval_max)},
      {"Shards", config.shards},
      {"LogLevel", LevelName(config.log.level)},
      {"Log", DescribeLog(config.log)},
      {"TimeZoneOffset", offset},
      {"GrpcServiceConfig",
       Cat(R"({"loadBalancingConfig":[{")", BalanceName(config.grpc_balance), R"(":{}}]})")},
  };
}

}  // namespace

std::string MaskSecrets(std::string_view url) {
  // The springcloud driver's Target is JSON, with passwords somewhere inside.
  if (TrimSpace(url).starts_with('{')) return MaskAll(url);
  const size_t query = url.find('?');
  std::string masked = MaskCredentials(url.substr(0, query));
  if (query == url.npos) return masked;
  return masked + '?' + MaskQuery(url.substr(query + 1));
}

std::string DescribeConfig(const Config& config) {
  std::string out;
  AppendIndented(out, Describe(config), 0);
  return out;
}

}  // namespace troth
