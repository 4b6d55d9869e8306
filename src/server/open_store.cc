#include "server/open_store.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>
#include <type_traits>

#include "base/log.h"
#include "base/text.h"
#include "server/store_hosts.h"
#include "store/memory_store.h"
#include "store/mysql/mysql_store.h"
#include "store/postgres/postgres_store.h"
#include "store/redis/redis_store.h"
#include "store/rocksdb_store.h"

namespace troth {
namespace {

// Empties the embedded store. A directory that holds anything but a store is left alone.
Status RemoveStore(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(path, error)) return OkStatus();
  if (!fs::exists(fs::path(path) / "CURRENT", error)) {
    if (fs::is_empty(path, error)) return OkStatus();
    return FailedPrecondition(
        Cat("a reset would empty ",
            path,
            ", which holds no store; set Store.Path to the store's directory"));
  }
  {
    // Opening takes the lock, so that the store of a running server is never removed.
    const auto store = OpenRocksDbStore({.path = path});
    if (!store.ok()) return store.status();
  }
  fs::remove_all(path, error);
  return error ? Internal(Cat("cannot remove ", path, ": ", error.message())) : OkStatus();
}

StatusOr<std::unique_ptr<Store>> OpenEmbedded(const StoreConfig& config, rocksdb::Env* disk) {
  TROTH_ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                         OpenRocksDbStore({.path = config.path, .env = disk}));
  LogInfo("store is open", {{"path", config.path}, {"unfinished", store->Unfinished()}});
  return store;
}

// A database may start later than we do, and comes back after an outage: asked again for as long as
// it takes, as dtm does. One that refuses us does so again: the start fails.
template <typename Try>
auto WhenReachable(const Try& attempt) -> decltype(attempt()) {
  constexpr Duration kPause = Seconds(1);
  while (true) {
    auto result = attempt();
    const Status status = [&] {
      if constexpr (std::is_same_v<decltype(result), Status>) {
        return result;
      } else {
        return result.status();
      }
    }();
    if (status.code() != StatusCode::kUnavailable) return result;
    LogWarn("the store does not answer; trying again", {{"error", status}});
    std::this_thread::sleep_for(kPause);
  }
}

MysqlOptions MysqlOptionsOf(const StoreConfig& config) {
  return {.host = config.host,
          .port = config.port,
          .user = config.user,
          .password = config.password,
          .database = config.db,
          .tls = config.tls.mode != StoreTlsMode::kOff,
          .tls_verify = config.tls.mode == StoreTlsMode::kVerify,
          .tls_ca_path = config.tls.ca_path,
          .tls_cert_path = config.tls.cert_path,
          .tls_key_path = config.tls.cert_key_path,
          .open_conns_max = static_cast<size_t>(config.max_open_conns),
          .idle_conns_max = static_cast<size_t>(config.max_idle_conns),
          .conn_age_max = config.conn_max_lifetime,
          .utc_offset = config.utc_offset,
          .batch_max = static_cast<size_t>(config.batch_max)};
}

PostgresOptions PostgresOptionsOf(const StoreConfig& config) {
  // libpq's names: `require` encrypts, `verify-full` compares the host's name as well.
  const auto tls_mode = [&]() -> std::string_view {
    switch (config.tls.mode) {
      case StoreTlsMode::kOff: return "disable";
      case StoreTlsMode::kEncrypt: return "require";
      case StoreTlsMode::kVerify: return "verify-full";
    }
    return "";
  };
  // libpq would look into the home directory.
  static const std::string kSystemCas = "/etc/ssl/certs/ca-certificates.crt";
  const bool verifies = config.tls.mode == StoreTlsMode::kVerify;
  return {.host = config.host,
          .port = config.port,
          .user = config.user,
          .password = config.password,
          .database = config.db,
          .schema = config.schema,
          .tls_mode = std::string(tls_mode()),
          .tls_ca_path = verifies && config.tls.ca_path.empty() ? kSystemCas : config.tls.ca_path,
          .tls_cert_path = config.tls.cert_path,
          .tls_key_path = config.tls.cert_key_path,
          .open_connections_max = static_cast<size_t>(config.max_open_conns),
          .idle_connections_max = static_cast<size_t>(config.max_idle_conns),
          .connection_age_max = config.conn_max_lifetime,
          .batch_max = static_cast<size_t>(config.batch_max)};
}

StatusOr<RedisOptions> RedisOptionsOf(const StoreConfig& config) {
  TROTH_ASSIGN_OR_RETURN(std::vector<redis::Endpoint> servers,
                         ParseRedisServers(config.host, config.port));
  std::optional<redis::TlsFiles> tls;
  if (config.tls.mode != StoreTlsMode::kOff) {
    tls = {.ca = config.tls.ca_path,
           .certificate = config.tls.cert_path,
           .key = config.tls.cert_key_path,
           .verify = config.tls.mode == StoreTlsMode::kVerify};
  }
  return RedisOptions{
      .servers = std::move(servers),
      .sentinel_master = config.sentinel_master,
      .user = config.user,
      .password = config.password,
      .sentinel_password = config.sentinel_password,
      .tls = std::move(tls),
      .prefix = config.redis_prefix,
      .keep_finished = config.finished_data_expire,
      .keep_calls = config.data_expire,
      .batch_max = static_cast<size_t>(config.batch_max),
      .wait_replicas = config.redis_wait_replicas,
      .wait_timeout = std::chrono::ceil<std::chrono::milliseconds>(config.redis_wait_timeout)};
}

StatusOr<std::unique_ptr<Store>> OpenMysql(const StoreConfig& config) {
  TROTH_RETURN_IF_ERROR(CheckHostsAreKnown(config.host));
  return OpenMysqlStore(MysqlOptionsOf(config));
}

StatusOr<std::unique_ptr<Store>> OpenPostgres(const StoreConfig& config) {
  TROTH_RETURN_IF_ERROR(CheckHostsAreKnown(config.host));
  return OpenPostgresStore(PostgresOptionsOf(config));
}

StatusOr<std::unique_ptr<Store>> OpenRedis(const StoreConfig& config) {
  TROTH_RETURN_IF_ERROR(CheckHostsAreKnown(config.host));
  TROTH_ASSIGN_OR_RETURN(RedisOptions options, RedisOptionsOf(config));
  return OpenRedisStore(std::move(options));
}

}  // namespace

bool IsSqlStore(const StoreConfig& config) {
  return config.driver == StoreDriver::kMysql || config.driver == StoreDriver::kPostgres;
}

StatusOr<std::unique_ptr<sql::SqlSession>> OpenSqlSession(const StoreConfig& config) {
  TROTH_RETURN_IF_ERROR(CheckHostsAreKnown(config.host));
  if (config.driver == StoreDriver::kMysql) return OpenMysqlSession(MysqlOptionsOf(config));
  if (config.driver == StoreDriver::kPostgres) {
    return OpenPostgresSession(PostgresOptionsOf(config));
  }
  return InvalidArgument(Cat("Store.Driver ", StoreDriverName(config.driver), " keeps no tables"));
}

StatusOr<std::unique_ptr<Store>> OpenStoreNow(const StoreConfig& config, rocksdb::Env* disk) {
  switch (config.driver) {
    case StoreDriver::kEmbedded: return OpenEmbedded(config, disk);
    case StoreDriver::kMemory: return std::unique_ptr<Store>(std::make_unique<MemoryStore>());
    case StoreDriver::kMysql: return OpenMysql(config);
    case StoreDriver::kPostgres: return OpenPostgres(config);
    case StoreDriver::kRedis: return OpenRedis(config);
  }
  std::abort();  // not one of the values: memory is corrupt
}

Status ResetStore(const StoreConfig& config) {
  switch (config.driver) {
    case StoreDriver::kEmbedded: return RemoveStore(config.path);
    case StoreDriver::kMemory: return OkStatus();
    case StoreDriver::kPostgres:
    case StoreDriver::kMysql: {
      TROTH_ASSIGN_OR_RETURN(const auto session, OpenSqlSession(config));
      return sql::ResetTables(*session);
    }
    case StoreDriver::kRedis: {
      TROTH_ASSIGN_OR_RETURN(RedisOptions options, RedisOptionsOf(config));
      return ResetRedisStore(std::move(options));
    }
  }
  std::abort();  // not one of the values: memory is corrupt
}

StatusOr<std::unique_ptr<Store>> OpenStore(const StoreConfig& config,
                                           bool reset,
                                           rocksdb::Env* disk) {
  if (reset) {
    TROTH_RETURN_IF_ERROR(WhenReachable([&] { return ResetStore(config); }));
    LogWarn("the store was emptied because of -r", {{"driver", StoreDriverName(config.driver)}});
  }
  return WhenReachable([&] { return OpenStoreNow(config, disk); });
}

}  // namespace troth
