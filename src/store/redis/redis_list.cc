// Loads, lists and retention. Redis keeps no order of its keys: lists come as SCAN finds them.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/dtm/record_json.h"
#include "store/list_filter.h"
#include "store/redis/redis_impl.h"
#include "store/redis/reply_records.h"

namespace troth {
namespace {

// Keys that one SCAN looks at, and keys that one List or Purge looks at, at the most: each takes
// Redis about a microsecond.
constexpr int kScanCount = 1000;
constexpr size_t kScanMax = 100'000;

// A position is SCAN's cursor, and the key after which to go on among those it finds there.
struct Position {
  std::string cursor = "0";
  std::string after;
};

StatusOr<Position> ParsePosition(std::string_view text) {
  if (text.empty()) return Position{};
  const size_t slash = text.find('/');
  const std::string_view cursor = text.substr(0, slash);
  const bool digits = !cursor.empty() && cursor.find_first_not_of("0123456789") == cursor.npos;
  if (!digits) {
    return InvalidArgument(
        Cat("\"", text, "\" is not a position of a list: use the one the last page ended with"));
  }
  return Position{std::string(cursor),
                  std::string(slash == text.npos ? "" : text.substr(slash + 1))};
}

RecordIndex IndexOf(const dtm::GlobalRow& row) {
  RecordIndex index;
  index.type = ParseTransType(row.trans_type).value_or(TransType::kMsg);
  index.status = ParseTransStatus(row.status).value_or(TransStatus::kPrepared);
  index.update_time = row.update_time.value_or(TimePoint());
  index.create_time = row.create_time.value_or(index.update_time);
  return index;
}

}  // namespace

// --- Loads

StatusOr<std::optional<StoredRecord>> RedisStore::Load(std::string_view gid) {
  TROTH_ASSIGN_OR_RETURN(auto loaded, LoadAll({std::string(gid)}));
  return std::move(loaded[0]);
}

StatusOr<std::vector<std::optional<StoredRecord>>> RedisStore::LoadAll(
    const std::vector<std::string>& gids) {
  redis::Batch batch;
  for (const std::string& gid : gids) {
    AddScript(batch, parts_.scripts->load, KeysOf(gid), std::vector{gid});
  }
  const std::vector<redis::Answer> answers = parts_.client->Run(batch, redis::Repeat::kYes);
  std::vector<std::optional<StoredRecord>> records(gids.size());
  for (size_t i = 0; i < gids.size(); ++i) {
    TROTH_RETURN_IF_ERROR(answers[i].status);
    if (redis::IsNil(answers[i].reply.get())) continue;
    TROTH_ASSIGN_OR_RETURN(records[i], redis::ReadRecord(gids[i], answers[i].reply.get()));
  }
  return records;
}

StatusOr<std::vector<std::optional<std::string>>> RedisStore::GetAll(
    const std::vector<std::string>& keys) {
  redis::Batch batch;
  for (const std::string& key : keys) batch.Add({"GET", key});
  const std::vector<redis::Answer> answers = parts_.client->Run(batch, redis::Repeat::kYes);
  std::vector<std::optional<std::string>> values(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    TROTH_RETURN_IF_ERROR(answers[i].status);
    if (!redis::IsNil(answers[i].reply.get())) values[i] = redis::Text(answers[i].reply.get());
  }
  return values;
}

// --- Scans

StatusOr<RedisStore::KeyPage> RedisStore::ScanKeys(std::string_view pattern,
                                                   std::string_view position,
                                                   size_t limit) {
  TROTH_ASSIGN_OR_RETURN(const Position from, ParsePosition(position));
  TROTH_ASSIGN_OR_RETURN(
      const redis::ReplyPtr reply,
      parts_.client->Run({"SCAN", from.cursor, "MATCH", pattern, "COUNT", Cat(kScanCount)},
                         redis::Repeat::kYes));
  KeyPage page;
  for (const redisReply* key : redis::Elements(redis::Element(reply.get(), 1))) {
    if (from.after.empty() || redis::Text(key) > from.after) {
      page.keys.emplace_back(redis::Text(key));
    }
  }
  std::sort(page.keys.begin(), page.keys.end());
  page.keys.erase(std::unique(page.keys.begin(), page.keys.end()), page.keys.end());
  if (page.keys.size() > limit) {
    page.keys.resize(limit);
    page.next = limit == 0 ? std::string(position) : Cat(from.cursor, "/", page.keys.back());
  } else if (redis::Text(redis::Element(reply.get(), 0)) != "0") {
    page.next = redis::Text(redis::Element(reply.get(), 0));
  }
  return page;
}

std::string RedisStore::TransactionPattern() const { return PatternOf(Key("g", "")); }

StatusOr<std::vector<std::optional<RecordIndex>>> RedisStore::ReadIndexes(
    const std::vector<std::string>& keys) {
  TROTH_ASSIGN_OR_RETURN(const auto values, GetAll(keys));
  std::vector<std::optional<RecordIndex>> indexes(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!values[i]) continue;  // it expired just now
    const StatusOr<dtm::GlobalRow> row = dtm::ParseGlobalJson(*values[i]);
    if (row.ok()) {
      indexes[i] = IndexOf(*row);
    } else {
      LogWarn("a record in Redis cannot be read", {{"key", keys[i]}, {"error", row.status()}});
    }
  }
  return indexes;
}

StatusOr<ListPage> RedisStore::List(const ListFilter& filter) {
  ListPage page;
  page.next_position = filter.position;
  size_t looked = 0;
  do {
    const size_t room = filter.limit - page.records.size();
    TROTH_ASSIGN_OR_RETURN(const KeyPage found,
                           ScanKeys(TransactionPattern(), page.next_position, room));
    TROTH_ASSIGN_OR_RETURN(const auto indexes, ReadIndexes(found.keys));
    std::vector<std::string> gids;
    for (size_t i = 0; i < found.keys.size(); ++i) {
      if (!indexes[i] || !Matches(filter, *indexes[i])) continue;
      gids.push_back(found.keys[i].substr(Key("g", "").size()));
    }
    TROTH_ASSIGN_OR_RETURN(auto records, LoadAll(gids));
    for (auto& record : records) {
      if (record) page.records.push_back(*std::move(record));
    }
    page.next_position = found.next;
    looked += kScanCount;
  } while (!page.next_position.empty() && page.records.size() < filter.limit && looked < kScanMax);
  return page;
}

// --- Retention: Redis removes what is finished by itself; this is for who wants it sooner.

StatusOr<bool> RedisStore::PurgeOne(const std::string& key) {
  const std::string gid = key.substr(Key("g", "").size());
  redis::Batch batch;
  AddScript(batch, parts_.scripts->purge, KeysOf(gid), {});
  const redis::Answer answer = std::move(parts_.client->Run(batch, redis::Repeat::kYes)[0]);
  TROTH_RETURN_IF_ERROR(answer.status);
  return redis::Integer(answer.reply.get()) == 1;
}

StatusOr<uint64_t> RedisStore::Purge(TimePoint before, size_t limit) {
  absl::MutexLock lock(&purge_mutex_);
  uint64_t removed = 0;
  for (size_t looked = 0; looked < kScanMax; looked += kScanCount) {
    TROTH_ASSIGN_OR_RETURN(const KeyPage found,
                           ScanKeys(TransactionPattern(), purge_position_, SIZE_MAX));
    TROTH_ASSIGN_OR_RETURN(const auto indexes, ReadIndexes(found.keys));
    for (size_t i = 0; i < found.keys.size(); ++i) {
      if (!indexes[i] || !IsFinal(indexes[i]->status) || indexes[i]->update_time >= before)
        continue;
      if (removed == limit) return removed;  // the rest of this page is looked at next time
      TROTH_ASSIGN_OR_RETURN(const bool gone, PurgeOne(found.keys[i]));
      removed += gone ? 1 : 0;
    }
    purge_position_ = found.next;
    if (purge_position_.empty()) break;
  }
  return removed;
}

}  // namespace troth
