// Small named values: topics.

#include <utility>

#include "base/text.h"
#include "store/mysql/mysql_store_impl.h"

namespace troth::mysql {

StatusOr<std::vector<KvRecord>> MysqlStore::ReadKv(std::string_view condition) {
  TROTH_ASSIGN_OR_RETURN(
      std::vector<Row> rows,
      Query(Cat("SELECT id,cat,k,v,version,create_time,update_time FROM kv WHERE ", condition)));
  std::vector<KvRecord> records;
  for (Row& row : rows) {
    KvRecord record;
    record.id = static_cast<uint64_t>(ParseInt(row[0].value_or("")).value_or(0));
    record.category = row[1].value_or("");
    record.key = row[2].value_or("");
    record.value = row[3].value_or("");
    record.version = static_cast<uint64_t>(ParseInt(row[4].value_or("")).value_or(1));
    record.create_time = local_.Parse(row[5].value_or("")).value_or(TimePoint());
    record.update_time = local_.Parse(row[6].value_or("")).value_or(TimePoint());
    records.push_back(std::move(record));
  }
  return records;
}

StatusOr<std::vector<KvRecord>> MysqlStore::FindKv(std::string_view category,
                                                   std::string_view key) {
  std::string condition = "TRUE";
  if (!category.empty()) CatTo(condition, " AND cat=", literals_.Text(category));
  if (!key.empty()) CatTo(condition, " AND k=", literals_.Text(key));
  return ReadKv(condition);
}

StatusOr<std::vector<KvRecord>> MysqlStore::ScanKv(std::string_view category,
                                                   std::string_view position,
                                                   size_t limit,
                                                   std::string* next_position) {
  TROTH_ASSIGN_OR_RETURN(std::vector<KvRecord> records,
                         ReadKv(Cat("cat=",
                                    literals_.Text(category),
                                    " AND k>",
                                    literals_.Text(position),
                                    " ORDER BY k LIMIT ",
                                    limit + 1)));
  const bool more = records.size() > limit;
  if (more) records.resize(limit);
  *next_position = more && !records.empty() ? records.back().key : "";
  return records;
}

Status MysqlStore::CreateKv(const KvRecord& record) {
  const Status created =
      Execute(Cat("INSERT INTO kv (cat,k,v,version,create_time,update_time) VALUES (",
                  literals_.Text(record.category),
                  ",",
                  literals_.Text(record.key),
                  ",",
                  literals_.Text(record.value),
                  ",",
                  record.version,
                  ",",
                  literals_.Time(record.create_time),
                  ",",
                  literals_.Time(record.update_time),
                  ")"))
          .status();
  if (created.code() != StatusCode::kAlreadyExists) return created;
  return AlreadyExists(Cat(record.category, " ", record.key, " exists"));
}

Status MysqlStore::UpdateKv(const KvRecord& record) {
  TROTH_ASSIGN_OR_RETURN(const uint64_t changed,
                         Execute(Cat("UPDATE kv SET v=",
                                     literals_.Text(record.value),
                                     ",version=",
                                     record.version,
                                     ",update_time=",
                                     literals_.Time(record.update_time),
                                     " WHERE cat=",
                                     literals_.Text(record.category),
                                     " AND k=",
                                     literals_.Text(record.key),
                                     " AND version=",
                                     record.version - 1)));
  if (changed == 1) return OkStatus();
  return NotFound(Cat("no ", record.category, " ", record.key, " of version ", record.version - 1));
}

Status MysqlStore::DeleteKv(std::string_view category, std::string_view key) {
  TROTH_ASSIGN_OR_RETURN(
      const uint64_t removed,
      Execute(Cat(
          "DELETE FROM kv WHERE cat=", literals_.Text(category), " AND k=", literals_.Text(key))));
  return removed == 1 ? OkStatus() : NotFound(Cat("no ", category, " ", key));
}

}  // namespace troth::mysql
