#pragma once
// Replies of the scripts as records, and numbers as the sorted set of unfinished transactions has
// them.

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "store/redis/reply.h"
#include "store/store.h"

namespace troth::redis {

// Seconds with milliseconds, rounded up: nothing is due too early. dtm writes whole seconds and
// compares numbers.
std::string ScoreOf(TimePoint time);
std::optional<TimePoint> TimeOfScore(std::string_view score);

// {global, branches, score, troth_state}. DataLoss when it is not what dtm or we write.
StatusOr<StoredRecord> ReadRecord(std::string_view gid, const redisReply* reply);

}  // namespace troth::redis
