#include "server/open_store.h"

#include <filesystem>
#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "store/memory_store.h"
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
        Cat("-r would empty ",
            path,
            ", which holds no store; set Store.Path to the store's directory"));
  }
  {
    // Opening takes the lock, so that the store of a running server is never removed.
    const auto store = OpenRocksDbStore({.path = path});
    if (!store.ok()) return store.status();
  }
  fs::remove_all(path, error);
  if (error) return Internal(Cat("cannot remove ", path, ": ", error.message()));
  LogWarn("the store was emptied because of -r", {{"path", path}});
  return OkStatus();
}

StatusOr<std::unique_ptr<Store>> OpenEmbedded(const StoreConfig& config, bool reset) {
  if (reset) TROTH_RETURN_IF_ERROR(RemoveStore(config.path));
  TROTH_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenRocksDbStore({.path = config.path}));
  LogInfo("store is open", {{"path", config.path}, {"unfinished", store->Unfinished()}});
  return store;
}

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenStore(const StoreConfig& config, bool reset) {
  switch (config.driver) {
    case StoreDriver::kEmbedded: return OpenEmbedded(config, reset);
    case StoreDriver::kMemory: return std::unique_ptr<Store>(std::make_unique<MemoryStore>());
    case StoreDriver::kRedis:
    case StoreDriver::kMysql:
    case StoreDriver::kPostgres: break;
  }
  return InvalidArgument(
      Cat("Store.Driver ",
          StoreDriverName(config.driver),
          " is not in this version; remove Store.Driver for the embedded store"));
}

}  // namespace troth
