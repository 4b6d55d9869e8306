#include <memory>
#include <utility>

#include "base/text.h"
#include "store/rocksdb_impl.h"

namespace troth {

using namespace rocksdb_layout;  // NOLINT: the families and keys are this file's words

StatusOr<std::optional<KvRecord>> RocksDbStore::ReadKv(std::string_view category,
                                                       std::string_view key) {
  const std::string name = KvKey(category, key);
  std::string value;
  const rocksdb::Status read = db_->Get({}, family(kDefault), name, &value);
  if (read.IsNotFound()) return std::nullopt;
  if (!read.ok()) return ReadError(read);
  KvRecord record;
  if (!DecodeKv(name, value, &record)) {
    return DataLoss(Cat("the value of ", category, " ", key, " is damaged"));
  }
  return record;
}

StatusOr<std::vector<KvRecord>> RocksDbStore::FindKv(std::string_view category,
                                                     std::string_view key) {
  std::vector<KvRecord> found;
  if (!category.empty() && !key.empty()) {
    TROTH_ASSIGN_OR_RETURN(auto record, ReadKv(category, key));
    if (record) found.push_back(*std::move(record));
    return found;
  }
  const std::string prefix = KvPrefix(category);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, family(kDefault)));
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    KvRecord record;
    if (!DecodeKv(ToView(it->key()), ToView(it->value()), &record)) {
      return DataLoss(Cat("a value of ", category, " is damaged"));
    }
    if (key.empty() || record.key == key) found.push_back(std::move(record));
  }
  if (!it->status().ok()) return ReadError(it->status());
  return found;
}

// A position is the last key of the page before.
StatusOr<std::vector<KvRecord>> RocksDbStore::ScanKv(std::string_view category,
                                                     std::string_view position,
                                                     size_t limit,
                                                     std::string* next_position) {
  const std::string prefix = KvPrefix(category);
  const std::string from = KvKey(category, position);
  std::vector<KvRecord> found;
  std::string next;  // `position` may be a view of *next_position
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, family(kDefault)));
  it->Seek(from);
  if (!position.empty() && it->Valid() && it->key() == from) it->Next();
  for (; it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (found.size() == limit) {
      if (!found.empty()) next = found.back().key;
      break;
    }
    if (!DecodeKv(ToView(it->key()), ToView(it->value()), &found.emplace_back())) {
      return DataLoss(Cat("a value of ", category, " is damaged"));
    }
  }
  if (!it->status().ok()) return ReadError(it->status());
  *next_position = std::move(next);
  return found;
}

Status RocksDbStore::WriteKv(const KvRecord& record) {
  ClearBatch();
  batch_.Put(family(kDefault), KvKey(record.category, record.key), EncodeKv(record));
  return Write(batch_, Sync::kYes);
}

Status RocksDbStore::CreateKv(const KvRecord& record) {
  absl::MutexLock lock(&write_mutex_);
  TROTH_ASSIGN_OR_RETURN(const auto known, ReadKv(record.category, record.key));
  if (known) return AlreadyExists(Cat(record.category, " ", record.key, " exists"));
  return WriteKv(record);
}

Status RocksDbStore::UpdateKv(const KvRecord& record) {
  absl::MutexLock lock(&write_mutex_);
  TROTH_ASSIGN_OR_RETURN(const auto known, ReadKv(record.category, record.key));
  if (!known || known->version + 1 != record.version) {
    return NotFound(
        Cat("no ", record.category, " ", record.key, " of version ", record.version - 1));
  }
  return WriteKv(record);
}

Status RocksDbStore::DeleteKv(std::string_view category, std::string_view key) {
  absl::MutexLock lock(&write_mutex_);
  TROTH_ASSIGN_OR_RETURN(const auto known, ReadKv(category, key));
  if (!known) return NotFound(Cat("no ", category, " ", key));
  ClearBatch();
  batch_.Delete(family(kDefault), KvKey(category, key));
  return Write(batch_, Sync::kYes);
}

}  // namespace troth
