// When transactions are due, who gets them, and that none of them expires.

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "store/redis/redis_impl.h"
#include "store/redis/reply_records.h"

namespace troth {
namespace {

// How often a server looks for what others left.
constexpr Duration kPoll = std::chrono::milliseconds(500);
// Records of one claim, so that one script neither blocks Redis long nor fills our memory.
constexpr size_t kClaimBytes = 16 << 20;
// How many unfinished transactions are looked at, and how often, to take the time to live away that
// dtm gives them (seven days, unless configured otherwise).
constexpr int64_t kKeepStep = 200;
constexpr Duration kKeepInterval = Seconds(5);

}  // namespace

std::optional<TimePoint> RedisStore::NextDue() { return FromMicros(next_due_); }

void RedisStore::WakeAt(TimePoint due) {
  int64_t known = next_due_;
  while (ToMicros(due) < known && !next_due_.compare_exchange_weak(known, ToMicros(due))) {
  }
}

StatusOr<std::vector<StoredRecord>> RedisStore::ClaimDue(TimePoint now,
                                                         TimePoint lease_until,
                                                         size_t limit) {
  next_due_ = ToMicros(now + kPoll);
  redis::Batch batch;
  AddScript(batch,
            parts_.scripts->claim,
            std::vector{Key("u", "")},
            std::vector{options_.prefix,
                        redis::ScoreOf(now),
                        redis::ScoreOf(lease_until),
                        Cat(limit),
                        Cat(kClaimBytes),
                        FormatTime(lease_until),
                        Cat(token_, "-", ++claims_)});
  // Asked again, it may claim others; those whose answer was lost wait for their lease.
  const redis::Answer answer = std::move(parts_.client->Run(batch, redis::Repeat::kYes)[0]);
  TROTH_RETURN_IF_ERROR(answer.status);
  const auto parts = redis::Elements(answer.reply.get());
  unfinished_ = static_cast<uint64_t>(redis::Integer(redis::Element(answer.reply.get(), 1)));
  if (redis::Integer(redis::Element(answer.reply.get(), 0)) == 1) WakeAt(now);
  if (const auto lowest = redis::TimeOfScore(redis::Text(redis::Element(answer.reply.get(), 2)))) {
    WakeAt(std::max(now, *lowest));
  }
  std::vector<StoredRecord> records;
  for (size_t i = 3; i < parts.size(); ++i) {
    const std::string_view gid = redis::Text(redis::Element(parts[i], 0));
    StatusOr<StoredRecord> record = redis::ReadRecord(gid, redis::Element(parts[i], 1));
    if (record.ok()) {
      records.push_back(*std::move(record));
    } else {
      LogError("transaction cannot be read; it is left alone until its next due time",
               {{"gid", gid}, {"error", record.status()}});
    }
  }
  KeepSome(now);
  return records;
}

void RedisStore::KeepSome(TimePoint now) {
  int64_t rank = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (now < keep_at_) return;
    keep_at_ = now + kKeepInterval;
    rank = keep_rank_;
  }
  redis::Batch batch;
  AddScript(batch,
            parts_.scripts->keep,
            std::vector{Key("u", "")},
            std::vector{options_.prefix, Cat(rank), Cat(rank + kKeepStep - 1)});
  const redis::Answer answer = std::move(parts_.client->Run(batch, redis::Repeat::kYes)[0]);
  if (!answer.status.ok()) {
    return LogWarn("what dtm left may expire, since Redis cannot be asked to keep it; trying again",
                   {{"error", answer.status}});
  }
  absl::MutexLock lock(&mutex_);
  keep_rank_ = redis::Integer(answer.reply.get()) < kKeepStep ? 0 : rank + kKeepStep;
}

StatusOr<ResetCount> RedisStore::ResetDue(TimePoint now, TimePoint after, size_t limit) {
  redis::Batch batch;
  AddScript(batch,
            parts_.scripts->reset,
            std::vector{Key("u", "")},
            std::vector{redis::ScoreOf(std::max(after, now)), redis::ScoreOf(now), Cat(limit)});
  const redis::Answer answer = std::move(parts_.client->Run(batch, redis::Repeat::kYes)[0]);
  TROTH_RETURN_IF_ERROR(answer.status);
  WakeAt(now);
  return ResetCount{
      .changed = static_cast<uint64_t>(redis::Integer(redis::Element(answer.reply.get(), 0))),
      .more = redis::Integer(redis::Element(answer.reply.get(), 1)) == 1};
}

}  // namespace troth
