#include "runtime/end_log.h"

#include "base/log.h"

namespace troth {
namespace {

constexpr uint64_t kAllInSecond = 100;
constexpr uint64_t kThenEvery = 100;
constexpr int64_t kMicrosPerSecond = 1000000;

}  // namespace

uint64_t EndLog::Sample(TimePoint now) {
  const int64_t second = ToMicros(now) / kMicrosPerSecond;
  if (second_.exchange(second, std::memory_order_relaxed) != second) {
    in_second_.store(0, std::memory_order_relaxed);
  }
  const uint64_t number = in_second_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (number <= kAllInSecond) return 1;
  return number % kThenEvery == 0 ? kThenEvery : 0;
}

void EndLog::OnEnded(const Transaction& txn, TimePoint now) {
  const bool succeeded = txn.status == TransStatus::kSucceeded;
  (succeeded ? succeeded_ : failed_).fetch_add(1, std::memory_order_relaxed);
  if (!LogEnabled(LogLevel::kInfo)) return;
  const uint64_t stands_for = Sample(now);
  if (stands_for == 0) return;
  const int64_t millis = (now - txn.create_time).count() / 1000;
  Log(LogLevel::kInfo,
      "transaction ended",
      {{"gid", txn.gid},
       {"type", WireName(txn.type)},
       {"status", WireName(txn.status)},
       {"branches", txn.branches.size()},
       {"ms", millis},
       {"stands_for", stands_for}});
}

}  // namespace troth
