#include "store/redis/reply_records.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "store/dtm/record_json.h"
#include "store/dtm/rows.h"

namespace troth::redis {
namespace {

// dtm's scores are cut to the second, so a score counts as moved only when it is further ahead.
constexpr Duration kRounding = Seconds(1);

Status Damaged(std::string_view gid, std::string_view what, const Status& why) {
  return DataLoss(Cat("transaction ",
                      gid,
                      " cannot be read from Redis: ",
                      what,
                      ": ",
                      Message(why),
                      "; restore its keys or remove them"));
}

}  // namespace

std::string ScoreOf(TimePoint time) {
  const int64_t millis =
      std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::string fraction = Cat(1000 + millis % 1000).substr(1);
  return Cat(millis / 1000, ".", fraction);
}

std::optional<TimePoint> TimeOfScore(std::string_view score) {
  double seconds = 0;
  const auto parsed = std::from_chars(score.data(), score.data() + score.size(), seconds);
  constexpr double kSecondsMax = 1e11;  // a score that is no time must not overflow one
  if (parsed.ec != std::errc() || !(std::abs(seconds) < kSecondsMax)) return std::nullopt;
  return FromMicros(1000 * static_cast<int64_t>(std::llround(seconds * 1000)));
}

StatusOr<StoredRecord> ReadRecord(std::string_view gid, const redisReply* reply) {
  dtm::Record record;
  StatusOr<dtm::GlobalRow> global = dtm::ParseGlobalJson(Text(Element(reply, 0)));
  if (!global.ok()) return Damaged(gid, "its record", global.status());
  record.global = *std::move(global);
  record.global.gid = gid;
  record.global.troth_state = Text(Element(reply, 3));
  for (const redisReply* element : Elements(Element(reply, 1))) {
    StatusOr<dtm::BranchRow> branch = dtm::ParseBranchJson(Text(element));
    if (!branch.ok()) return Damaged(gid, "a branch", branch.status());
    record.branches.push_back(*std::move(branch));
  }
  // ResetDue, and dtm's, move the score and leave the record.
  const std::optional<TimePoint> due = TimeOfScore(Text(Element(reply, 2)));
  if (due && record.global.next_cron_time && *due + kRounding < *record.global.next_cron_time) {
    record.global.next_cron_time = due;
  }
  return dtm::MakeStoredRecord(std::move(record));
}

}  // namespace troth::redis
