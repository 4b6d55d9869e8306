// Small named values: topics.

#include "base/text.h"
#include "store/list_filter.h"
#include "store/postgres/postgres_impl.h"

namespace troth::postgres {
namespace {

const Statement kFind = {
    "troth_find_kv",
    "select id, cat, k, v, version, create_time, update_time from kv where ($1::text = '' or cat = "
    "$1) and ($2::text = '' or k = $2) order by id"};

// As dtm does: the newest first, the position is the id of the last one.
const Statement kScan = {
    "troth_scan_kv",
    "select id, cat, k, v, version, create_time, update_time from kv where cat = $1 and id < $2 "
    "order by id desc limit $3"};

const Statement kCreate = {"troth_create_kv",
                           "insert into kv (cat, k, v, version, create_time, update_time) values "
                           "($1, $2, $3, $4, $5, $6)"};

const Statement kUpdate = {
    "troth_update_kv",
    "update kv set v = $3, version = $4, update_time = $5 where cat = $1 and k = $2 and version = "
    "$4 - 1"};

const Statement kDelete = {"troth_delete_kv", "delete from kv where cat = $1 and k = $2"};

std::vector<KvRecord> ReadKv(const Result& result) {
  std::vector<KvRecord> records(result.rows());
  for (size_t row = 0; row < result.rows(); ++row) {
    records[row] = {.id = static_cast<uint64_t>(result.Int(row, 0)),
                    .category = std::string(result.Text(row, 1)),
                    .key = std::string(result.Text(row, 2)),
                    .value = std::string(result.Text(row, 3)),
                    .version = static_cast<uint64_t>(result.Int(row, 4)),
                    .create_time = result.Time(row, 5),
                    .update_time = result.Time(row, 6)};
  }
  return records;
}

}  // namespace

StatusOr<std::vector<KvRecord>> PostgresStore::FindKv(std::string_view category,
                                                      std::string_view key) {
  TROTH_ASSIGN_OR_RETURN(
      const Result found,
      Run({.statement = &kFind, .parameters = Parameters().Text(category).Text(key)}));
  return ReadKv(found);
}

StatusOr<std::vector<KvRecord>> PostgresStore::ScanKv(std::string_view category,
                                                      std::string_view position,
                                                      size_t limit,
                                                      std::string* next_position) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t below, ParseListPosition(std::string(position)));
  Query query = {.statement = &kScan};
  query.parameters.Text(category)
      .Int(static_cast<int64_t>(std::min<uint64_t>(below, INT64_MAX)))
      .Int(static_cast<int64_t>(limit));
  TROTH_ASSIGN_OR_RETURN(const Result found, Run(query));
  std::vector<KvRecord> records = ReadKv(found);
  next_position->clear();
  if (records.size() == limit && limit > 0) {
    *next_position = MakeListPosition(records.back().id);
  }
  return records;
}

Status PostgresStore::CreateKv(const KvRecord& record) {
  Query query = {.statement = &kCreate};
  query.parameters.Text(record.category)
      .Text(record.key)
      .Text(record.value)
      .Int(static_cast<int64_t>(record.version))
      .Time(record.create_time)
      .Time(record.update_time);
  const Status created = Run(query).status();
  if (created.code() != StatusCode::kAlreadyExists) return created;
  return AlreadyExists(Cat(record.category, " ", record.key, " exists"));
}

Status PostgresStore::UpdateKv(const KvRecord& record) {
  Query query = {.statement = &kUpdate};
  query.parameters.Text(record.category)
      .Text(record.key)
      .Text(record.value)
      .Int(static_cast<int64_t>(record.version))
      .Time(record.update_time);
  TROTH_ASSIGN_OR_RETURN(const Result updated, Run(query));
  if (updated.affected() > 0) return OkStatus();
  return NotFound(Cat("no ", record.category, " ", record.key, " of version ", record.version - 1));
}

Status PostgresStore::DeleteKv(std::string_view category, std::string_view key) {
  TROTH_ASSIGN_OR_RETURN(
      const Result deleted,
      Run({.statement = &kDelete, .parameters = Parameters().Text(category).Text(key)}));
  if (deleted.affected() > 0) return OkStatus();
  return NotFound(Cat("no ", category, " ", key));
}

}  // namespace troth::postgres
