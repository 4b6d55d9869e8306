// Loads, lists and retention. Redis keeps no order of its keys: lists come as SCAN finds them.

#include <algorithm>
#include <utility>

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
  // What is answered from it must not be lost, either.
  return std::move(LoadAll({std::string(gid)}, redis::Reach::kReplicas)[0]);
}

std::vector<StatusOr<std::optional<StoredRecord>>> RedisStore::LoadAll(
    const std::vector<std::string>& gids, redis::Reach reach) {
  redis::Batch batch;
  for (const std::string& gid : gids) {
    AddScript(batch, parts_.scripts->load, KeysOf(gid), std::vector{gid});
  }
  const std::vector<redis::Answer> answers = parts_.client->Run(batch, redis::Repeat::kYes, reach);
  std::vector<StatusOr<std::optional<StoredRecord>>> records;
  for (size_t i = 0; i < gids.size(); ++i) {
    if (!answers[i].status.ok()) {
      records.emplace_back(answers[i].status);
    } else if (!answers[i].replicated) {
      records.emplace_back(parts_.client->NotReplicated());
    } else if (redis::IsNil(answers[i].reply.get())) {
      records.emplace_back(std::nullopt);
    } else {
      records.emplace_back(redis::ReadRecord(gids[i], answers[i].reply.get()));
    }
  }
  return records;
}

std::vector<StatusOr<std::optional<std::string>>> RedisStore::GetAll(
    const std::vector<std::string>& keys) {
  redis::Batch batch;
  for (const std::string& key : keys) batch.Add({"GET", key});
  std::vector<StatusOr<std::optional<std::string>>> values;
  for (const redis::Answer& answer : parts_.client->Run(batch, redis::Repeat::kYes)) {
    if (!answer.status.ok()) {
      values.emplace_back(answer.status);
    } else if (redis::IsNil(answer.reply.get())) {
      values.emplace_back(std::nullopt);
    } else {
      values.emplace_back(std::string(redis::Text(answer.reply.get())));
    }
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

std::vector<StatusOr<RecordIndex>> RedisStore::ReadIndexes(const std::vector<std::string>& keys) {
  std::vector<StatusOr<RecordIndex>> indexes;
  for (const auto& value : GetAll(keys)) {
    if (!value.ok()) {
      indexes.emplace_back(value.status());
    } else if (!value->has_value()) {
      indexes.emplace_back(NotFound("it expired just now"));
    } else if (const auto row = dtm::ParseGlobalJson(**value); row.ok()) {
      indexes.emplace_back(IndexOf(*row));
    } else {
      indexes.emplace_back(DataLoss(Cat("its record cannot be read: ", Message(row.status()))));
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
    TROTH_RETURN_IF_ERROR(AddToPage(found.keys, filter, page));
    page.next_position = found.next;
    looked += kScanCount;
  } while (!page.next_position.empty() && page.records.size() < filter.limit && looked < kScanMax);
  return page;
}

Status RedisStore::AddToPage(const std::vector<std::string>& keys,
                             const ListFilter& filter,
                             ListPage& page) {
  // A damaged record is told of, and does not hide the others.
  const auto leave_out = [&page](const std::string& gid, const Status& status) {
    if (status.code() != StatusCode::kDataLoss) return status;
    page.damaged.push_back({gid, std::string(Message(status))});
    return OkStatus();
  };
  const auto indexes = ReadIndexes(keys);
  std::vector<std::string> gids;
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string gid = keys[i].substr(Key("g", "").size());
    if (indexes[i].ok()) {
      if (Matches(filter, *indexes[i])) gids.push_back(gid);
    } else if (indexes[i].status().code() != StatusCode::kNotFound) {
      TROTH_RETURN_IF_ERROR(leave_out(gid, indexes[i].status()));
    }
  }
  auto records = LoadAll(gids, redis::Reach::kMaster);
  for (size_t i = 0; i < gids.size(); ++i) {
    if (!records[i].ok()) {
      TROTH_RETURN_IF_ERROR(leave_out(gids[i], records[i].status()));
    } else if (records[i]->has_value()) {
      page.records.push_back(**std::move(records[i]));
    }
  }
  return OkStatus();
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
    const auto indexes = ReadIndexes(found.keys);
    for (size_t i = 0; i < found.keys.size(); ++i) {
      if (!indexes[i].ok() || !IsFinal(indexes[i]->status) || indexes[i]->update_time >= before)
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
