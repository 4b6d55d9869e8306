#include "config/keys.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

constexpr KeyType kInteger = KeyType::kInteger;

constexpr int64_t kPortMax = 65535;
// A year, as for the options of a transaction: larger values overflow somebody's arithmetic.
constexpr int64_t kYear = 366 * 24 * 3600;
constexpr int64_t kCentury = 100 * kYear;
// More connections than any database takes from one client.
constexpr int64_t kConnectionsMax = 100'000;
// More threads than machines have cores; each costs memory even when it idles.
constexpr int64_t kShardsMax = 256;
constexpr int64_t kWeightMax = 1'000'000;

constexpr std::string_view kServerStores = "redis, mysql, postgres";
constexpr std::string_view kSqlStores = "mysql, postgres";

constexpr std::string_view kHttpMicroServiceUnused = "dtm reads it and does not use it either";
constexpr std::string_view kEverySaveDurable = "every save is durable and saves are batched anyway";
constexpr std::string_view kNotYet = "this version does not have what it configures";

constexpr Key kKeys[] = {
    {.name = "Store.Driver", .default_value = "boltdb"},
    {.name = "Store.Path", .default_value = "troth-data", .stores = "embedded"},
    {.name = "Store.Host", .stores = kServerStores},
    {.name = "Store.Port",
     .type = kInteger,
     .default_value = "0",
     .low = 0,
     .high = kPortMax,
     .stores = kServerStores},
    {.name = "Store.User", .stores = kServerStores},
    {.name = "Store.Password", .stores = kServerStores},
    {.name = "Store.Db", .default_value = "dtm", .stores = kSqlStores},
    {.name = "Store.Schema", .default_value = "public", .stores = "postgres"},
    {.name = "Store.MaxOpenConns",
     .type = kInteger,
     .default_value = "500",
     .low = 0,
     .high = kConnectionsMax,
     .stores = kSqlStores},
    {.name = "Store.MaxIdleConns",
     .type = kInteger,
     .default_value = "500",
     .low = 0,
     .high = kConnectionsMax,
     .stores = kSqlStores},
    {.name = "Store.ConnMaxLifeTime",
     .type = kInteger,
     .default_value = "5",
     .low = 0,
     .high = kYear / 60,
     .stores = kSqlStores},
    {.name = "Store.DataExpire",
     .type = kInteger,
     .default_value = "604800",
     .low = 0,
     .high = kCentury,
     .stores = "embedded, memory, redis"},
    {.name = "Store.FinishedDataExpire",
     .type = kInteger,
     .default_value = "86400",
     .low = 1,
     .high = kCentury,
     .stores = "redis"},
    {.name = "Store.RedisPrefix", .default_value = "{a}", .stores = "redis"},
    {.name = "Store.BatchMax",
     .type = kInteger,
     .default_value = "256",
     .low = 1,
     .high = 4096,
     .stores = "mysql, postgres, redis"},
    {.name = "Store.PurgeFinishedAfter",
     .type = kInteger,
     .default_value = "0",
     .low = 0,
     .high = kCentury,
     .stores = kSqlStores},
    {.name = "Store.TlsMode", .default_value = "off", .stores = kServerStores},
    {.name = "Store.TlsCaPath", .stores = kServerStores},
    {.name = "Store.TlsCertPath", .stores = kServerStores},
    {.name = "Store.TlsCertKeyPath", .stores = kServerStores},
    {.name = "Store.SentinelMaster", .stores = "redis"},
    {.name = "Store.SentinelPassword", .stores = "redis"},
    {.name = "Store.RedisWaitReplicas",
     .type = kInteger,
     .default_value = "0",
     .low = 0,
     .high = 100,
     .stores = "redis"},
    {.name = "Store.RedisWaitTimeout",
     .type = kInteger,
     .default_value = "1",
     .low = 1,
     .high = 60,
     .stores = "redis"},
    {.name = "TransCronInterval",
     .type = kInteger,
     .default_value = "3",
     .unused_because = "transactions are started when they are due, nothing is polled for"},
    {.name = "TimeoutToFail", .type = kInteger, .default_value = "35", .low = 1, .high = kYear},
    {.name = "RetryInterval", .type = kInteger, .default_value = "10", .low = 1, .high = kYear},
    {.name = "RequestTimeout", .type = kInteger, .default_value = "3", .low = 1, .high = kYear},
    {.name = "HttpPort", .type = kInteger, .default_value = "36789", .low = 0, .high = kPortMax},
    {.name = "GrpcPort", .type = kInteger, .default_value = "36790", .low = 0, .high = kPortMax},
    {.name = "JsonRpcPort",
     .type = kInteger,
     .default_value = "36791",
     .unused_because = "nothing listens on it, in dtm neither: JSON-RPC belongs to HttpPort"},
    {.name = "MicroService.Driver", .default_value = "default"},
    {.name = "MicroService.Target"},
    {.name = "MicroService.EndPoint"},
    {.name = "MicroService.Weight",
     .type = kInteger,
     .default_value = "100",
     .low = 1,
     .high = kWeightMax},
    {.name = "OutgoingTls.CaPath"},
    {.name = "OutgoingTls.CertPath"},
    {.name = "OutgoingTls.CertKeyPath"},
    {.name = "ListenTls.CertPath"},
    {.name = "ListenTls.CertKeyPath"},
    {.name = "ListenTls.ClientCaPath"},
    {.name = "HttpMicroService.Driver",
     .default_value = "default",
     .unused_because = kHttpMicroServiceUnused},
    {.name = "HttpMicroService.RegistryType", .unused_because = kHttpMicroServiceUnused},
    {.name = "HttpMicroService.RegistryAddress", .unused_because = kHttpMicroServiceUnused},
    {.name = "HttpMicroService.RegistryOptions",
     .default_value = "{}",
     .unused_because = kHttpMicroServiceUnused},
    {.name = "HttpMicroService.Target", .unused_because = kHttpMicroServiceUnused},
    {.name = "HttpMicroService.EndPoint", .unused_because = kHttpMicroServiceUnused},
    {.name = "UpdateBranchSync",
     .type = kInteger,
     .default_value = "1",
     .unused_because = kEverySaveDurable},
    {.name = "UpdateBranchAsyncGoroutineNum",
     .type = kInteger,
     .default_value = "1",
     .unused_because = kEverySaveDurable},
    {.name = "WaitResultStrict", .type = kInteger, .default_value = "0", .low = 0, .high = 1},
    {.name = "RetryIntervalMax",
     .type = kInteger,
     .default_value = "3600",
     .low = 1,
     .high = kYear},
    {.name = "Shards", .type = kInteger, .default_value = "0", .low = 0, .high = kShardsMax},
    {.name = "LogLevel", .default_value = "info"},
    {.name = "Log.Format", .default_value = "text"},
    {.name = "Log.Outputs", .default_value = "stderr"},
    {.name = "Log.RotationEnable", .type = kInteger, .default_value = "0"},
    {.name = "Log.RotationConfigJSON", .default_value = "{}"},
    {.name = "TimeZoneOffset"},
    {.name = "ConfigUpdateInterval",
     .type = kInteger,
     .default_value = "3",
     .unused_because = kNotYet},
    {.name = "AlertRetryLimit", .type = kInteger, .default_value = "3", .low = 0, .high = 1000},
    {.name = "AlertWebHook"},
    {.name = "AdminBasePath", .unused_because = kNotYet},
    {.name = "GrpcServiceConfig",
     .default_value = R"({"loadBalancingConfig": [{"round_robin":{}}]})"},
};

bool IsLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

std::string_view SectionOf(std::string_view key_name) {
  const size_t point = key_name.find('.');
  return point == key_name.npos ? std::string_view() : key_name.substr(0, point);
}

// How many characters must be changed, added or taken away (Levenshtein), whatever the case of
// `name`; `limit` when it is at least so many. `a` has no capitals.
size_t EditDistance(std::string_view a, std::string_view name, size_t limit) {
  if (std::max(a.size(), name.size()) - std::min(a.size(), name.size()) >= limit) return limit;
  const std::string b = ToLower(name);
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    size_t least = row[0];
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t changed = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min(changed, 1 + std::min(row[k], diagonal));
      least = std::min(least, row[k + 1]);
    }
    if (least >= limit) return limit;  // the rows below have nothing smaller
  }
  return std::min(row.back(), limit);
}

}  // namespace

std::span<const Key> Keys() { return kKeys; }

const Key* FindKey(std::string_view name) {
  const auto* const found = std::ranges::find(kKeys, name, &Key::name);
  return found == std::end(kKeys) ? nullptr : found;
}

bool IsSection(std::string_view name) {
  return !name.empty() &&
         std::ranges::any_of(kKeys, [name](const Key& key) { return SectionOf(key.name) == name; });
}

std::string EnvironmentName(std::string_view key_name) {
  std::string out;
  for (size_t i = 0; i < key_name.size(); ++i) {
    const char c = key_name[i];
    const char before = i > 0 ? key_name[i - 1] : '.';
    const char after = i + 1 < key_name.size() ? key_name[i + 1] : '.';
    // A word begins after a small letter, and at the last capital before small ones: JSONPort.
    const bool begins_word = IsUpper(c) && (IsLower(before) || (IsUpper(before) && IsLower(after)));
    if (begins_word) out += '_';
    out += c == '.' ? '_' : c;
  }
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

std::string_view ClosestName(std::string_view unknown) {
  static constexpr size_t kLengthMax = 64;  // longer than any name of ours, with slips
  if (unknown.size() > kLengthMax) return {};
  const std::string lower = ToLower(unknown);
  // Up to a third of the letters may be wrong; beyond that a suggestion only confuses.
  size_t distance = unknown.size() / 3 + 1;
  std::string_view closest;
  const auto consider = [&](std::string_view name) {
    const size_t candidate = EditDistance(lower, name, distance);
    if (candidate >= distance) return;
    distance = candidate;
    closest = name;
  };
  std::string_view section;  // its keys stand together
  for (const Key& key : kKeys) {
    consider(key.name);
    if (section == SectionOf(key.name)) continue;
    section = SectionOf(key.name);
    if (!section.empty()) consider(section);
  }
  return closest;
}

}  // namespace troth
