// Small named values: topics.

#include <utility>

#include "base/text.h"
#include "store/dtm/record_json.h"
#include "store/redis/redis_impl.h"

namespace troth {
namespace {

Status Missing(std::string_view category, std::string_view key) {
  return NotFound(Cat("no ", category, " ", key));
}

}  // namespace

StatusOr<std::vector<KvRecord>> RedisStore::ReadKv(const std::vector<std::string>& keys) {
  std::vector<KvRecord> records;
  for (const auto& value : GetAll(keys)) {
    TROTH_RETURN_IF_ERROR(value.status());
    if (!value->has_value()) continue;  // deleted meanwhile
    TROTH_ASSIGN_OR_RETURN(KvRecord record, dtm::ParseKvJson(**value));
    records.push_back(std::move(record));
  }
  return records;
}

StatusOr<std::vector<KvRecord>> RedisStore::FindKv(std::string_view category,
                                                   std::string_view key) {
  if (!category.empty() && !key.empty()) {
    return ReadKv({Key("kv", Cat(category, "_", key))});
  }
  const std::string begin = category.empty() ? Key("kv", "") : Key("kv", Cat(category, "_"));
  std::vector<KvRecord> records;
  std::string position;
  do {
    TROTH_ASSIGN_OR_RETURN(const KeyPage page, ScanKeys(PatternOf(begin), position, SIZE_MAX));
    TROTH_ASSIGN_OR_RETURN(std::vector<KvRecord> found, ReadKv(page.keys));
    for (KvRecord& record : found) {
      // "a_b" is a key of the category "a", and the beginning of the keys of "a_b".
      if (!category.empty() && record.category != category) continue;
      if (key.empty() || record.key == key) records.push_back(std::move(record));
    }
    position = page.next;
  } while (!position.empty());
  return records;
}

StatusOr<std::vector<KvRecord>> RedisStore::ScanKv(std::string_view category,
                                                   std::string_view position,
                                                   size_t limit,
                                                   std::string* next_position) {
  const std::string begin = Key("kv", Cat(category, "_"));
  TROTH_ASSIGN_OR_RETURN(KeyPage page, ScanKeys(PatternOf(begin), position, limit));
  TROTH_ASSIGN_OR_RETURN(std::vector<KvRecord> records, ReadKv(page.keys));
  std::erase_if(records, [&](const KvRecord& record) { return record.category != category; });
  *next_position = std::move(page.next);
  return records;
}

Status RedisStore::CreateKv(const KvRecord& record) {
  const std::string key = Key("kv", Cat(record.category, "_", record.key));
  TROTH_ASSIGN_OR_RETURN(
      const redis::ReplyPtr reply,
      parts_.client->Run(
          {"SET", key, dtm::KvJson(record), "NX"}, redis::Repeat::kNo, redis::Reach::kReplicas));
  if (!redis::IsNil(reply.get())) return OkStatus();
  return AlreadyExists(Cat(record.category, " ", record.key, " exists"));
}

Status RedisStore::UpdateKv(const KvRecord& record) {
  redis::Batch batch;
  AddScript(batch,
            parts_.scripts->update_kv,
            std::vector{Key("kv", Cat(record.category, "_", record.key))},
            std::vector{Cat(record.version - 1), dtm::KvJson(record)});
  const redis::Answer answer =
      std::move(parts_.client->Run(batch, redis::Repeat::kNo, redis::Reach::kReplicas)[0]);
  TROTH_RETURN_IF_ERROR(answer.status);
  if (!answer.replicated) return parts_.client->NotReplicated();
  if (redis::Integer(answer.reply.get()) == 1) return OkStatus();
  return NotFound(Cat("no ", record.category, " ", record.key, " of version ", record.version - 1));
}

Status RedisStore::DeleteKv(std::string_view category, std::string_view key) {
  TROTH_ASSIGN_OR_RETURN(const redis::ReplyPtr reply,
                         parts_.client->Run({"DEL", Key("kv", Cat(category, "_", key))},
                                            redis::Repeat::kNo,
                                            redis::Reach::kReplicas));
  return redis::Integer(reply.get()) == 1 ? OkStatus() : Missing(category, key);
}

}  // namespace troth
