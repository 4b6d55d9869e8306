#include "server/store_location.h"

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace troth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForms =
    "give a conf file, the folder of an embedded store, or postgres://, mysql:// or redis:// "
    "USER:PASSWORD@HOST:PORT/DATABASE";

struct Scheme {
  std::string_view name;
  StoreDriver driver;
  uint16_t port;
};
constexpr Scheme kSchemes[] = {{"postgres", StoreDriver::kPostgres, 5432},
                               {"postgresql", StoreDriver::kPostgres, 5432},
                               {"mysql", StoreDriver::kMysql, 3306},
                               {"redis", StoreDriver::kRedis, 6379}};

Status NotALocation(std::string_view text, std::string_view why) {
  return InvalidArgument(Cat("\"", MaskSecrets(text), "\" is no store: ", why, "; ", kForms));
}

StatusOr<StoreConfig> DefaultStore() {
  TROTH_ASSIGN_OR_RETURN(Config config, LoadConfig(std::nullopt, {}));
  return std::move(config.store);
}

// The part of `text` before `separator`, which `text` loses with it; nothing when there is none.
std::optional<std::string_view> TakeBefore(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  if (at == text.npos) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + 1);
  return before;
}

Status ReadAccount(std::string_view account, StoreConfig& config) {
  const std::string_view user = TakeBefore(account, ':').value_or("");
  const auto decoded_user = PercentDecode(user.empty() ? account : user);
  const auto decoded_password = PercentDecode(user.empty() ? "" : account);
  if (!decoded_user || !decoded_password) return InvalidArgument("a broken % escape");
  config.user = *decoded_user;
  config.password = *decoded_password;
  return OkStatus();
}

Status ReadHost(std::string_view host, StoreConfig& config) {
  const size_t colon = host.rfind(':');
  if (colon != host.npos && host.find(',') == host.npos) {
    const std::optional<int64_t> port = ParseInt(host.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return InvalidArgument("the port is none");
    config.port = static_cast<uint16_t>(*port);
    host = host.substr(0, colon);
  }
  if (host.empty()) return InvalidArgument("it has no host");
  config.host = host;
  return OkStatus();
}

Status ReadQuery(std::string_view query, StoreConfig& config) {
  for (const std::string_view part : Split(query, '&')) {
    std::string_view value = part;
    const std::string_view name = TakeBefore(value, '=').value_or("");
    const auto decoded = PercentDecode(value, /*plus_is_space=*/false);
    if (!decoded) return InvalidArgument("a broken % escape");
    if (name == "schema" && config.driver == StoreDriver::kPostgres) {
      config.schema = *decoded;
    } else if (name == "prefix" && config.driver == StoreDriver::kRedis) {
      config.redis_prefix = *decoded;
    } else {
      return InvalidArgument(Cat("it has an unknown option ", part));
    }
  }
  return OkStatus();
}

// What follows the scheme.
Status ReadUrl(std::string_view rest, StoreConfig& config) {
  std::string_view query;
  if (const size_t at = rest.find('?'); at != rest.npos) {
    query = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    TROTH_RETURN_IF_ERROR(ReadAccount(rest.substr(0, at), config));
    rest.remove_prefix(at + 1);
  }
  if (const auto host = TakeBefore(rest, '/')) {
    if (!rest.empty()) config.db = rest;
    rest = *host;
  }
  TROTH_RETURN_IF_ERROR(ReadHost(rest, config));
  return query.empty() ? OkStatus() : ReadQuery(query, config);
}

}  // namespace

StatusOr<StoreConfig> ParseStoreLocation(const std::string& text) {
  TROTH_ASSIGN_OR_RETURN(StoreConfig config, DefaultStore());
  const std::string_view embedded = "embedded:";
  std::error_code ignored;
  if (text.starts_with(embedded) || fs::is_directory(text, ignored)) {
    config.path = text.substr(text.starts_with(embedded) ? embedded.size() : 0);
    if (config.path.empty()) return NotALocation(text, "it names no folder");
    return config;
  }
  for (const Scheme& scheme : kSchemes) {
    const std::string prefix = Cat(scheme.name, "://");
    if (!text.starts_with(prefix)) continue;
    config.driver = scheme.driver;
    config.port = scheme.port;
    const Status read = ReadUrl(std::string_view(text).substr(prefix.size()), config);
    if (!read.ok()) return NotALocation(text, Message(read));
    return config;
  }
  if (!fs::is_regular_file(text, ignored)) return NotALocation(text, "there is no such file");
  const StatusOr<Config> from_file = LoadConfig(text, {});
  if (!from_file.ok()) return NotALocation(text, Message(from_file.status()));
  return from_file->store;
}

std::string DescribeStoreLocation(const StoreConfig& config) {
  switch (config.driver) {
    case StoreDriver::kEmbedded: return Cat("the embedded store in ", config.path);
    case StoreDriver::kMemory: return "memory";
    case StoreDriver::kRedis:
      return Cat("redis at ", MaskSecrets(config.host), ":", config.port, " ", config.redis_prefix);
    case StoreDriver::kMysql:
    case StoreDriver::kPostgres: break;
  }
  return Cat(StoreDriverName(config.driver),
             " at ",
             MaskSecrets(config.host),
             ":",
             config.port,
             "/",
             config.db);
}

}  // namespace troth
