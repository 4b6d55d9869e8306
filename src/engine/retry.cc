#include "engine/retry.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <string_view>

namespace troth {
namespace {

// dtm's threshold after which a success of a slow pass resets the interval.
constexpr Duration kSlowPass = std::chrono::milliseconds(1500);

int64_t WholeSeconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

void SetDue(const Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options) {
  pass.due = now + BoundedSeconds(txn.next_cron_interval, options);
  pass.touched = now;
}

// The same for the same try of the same transaction, so that the engine stays deterministic.
Duration Jitter(const Transaction& txn, const EngineOptions& options) {
  const Duration most =
      BoundedSeconds(txn.next_cron_interval, options) * options.retry_jitter_percent / 100;
  if (most <= Duration(0)) return Duration(0);
  const size_t hash = std::hash<std::string_view>{}(txn.gid) ^
                      (static_cast<size_t>(txn.next_cron_interval) * 0x9E3779B97F4A7C15u);
  return Duration(static_cast<int64_t>(hash % static_cast<size_t>(most.count())));
}

}  // namespace

Duration BoundedSeconds(int64_t seconds, const EngineOptions& options) {
  return Seconds(std::clamp<int64_t>(seconds, 0, options.limits.option_seconds_max));
}

int64_t BaseInterval(const Transaction& txn, const EngineOptions& options) {
  const int64_t server = std::max<int64_t>(1, WholeSeconds(options.retry_interval));
  const int64_t timeout = txn.options.timeout_to_fail;
  if (txn.options.retry_interval > 0) return txn.options.retry_interval;
  if (timeout > 0 && timeout < server) return timeout;
  return server;
}

Duration TimeoutToFail(const Transaction& txn, const EngineOptions& options) {
  if (txn.options.timeout_to_fail <= 0) return options.timeout_to_fail;
  return BoundedSeconds(txn.options.timeout_to_fail, options);
}

Duration RequestTimeout(const Transaction& txn, const EngineOptions& options) {
  if (txn.options.request_timeout <= 0) return options.request_timeout;
  return BoundedSeconds(txn.options.request_timeout, options);
}

Duration LeaseTime(const Transaction& txn, const EngineOptions& options) {
  return std::max(options.retry_interval, RequestTimeout(txn, options) + Seconds(5));
}

void TouchUnknown(Transaction& txn,
                  PassState& pass,
                  TimePoint now,
                  const EngineOptions& options,
                  Duration at_least) {
  // A client that asks for a longer base than the cap gets its base.
  const int64_t cap = std::max(options.limits.retry_interval_max, BaseInterval(txn, options));
  const int64_t interval = std::clamp<int64_t>(txn.next_cron_interval, 1, cap);
  txn.next_cron_interval = std::min(interval * 2, cap);
  SetDue(txn, pass, now, options);
  pass.due = std::max(pass.due + Jitter(txn, options), now + at_least);
}

void TouchOngoing(Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options) {
  SetDue(txn, pass, now, options);
}

void TouchSucceeded(Transaction& txn,
                    PassState& pass,
                    TimePoint now,
                    const EngineOptions& options) {
  if (pass.answered() > 0) return;
  const bool backed_off = txn.next_cron_interval > WholeSeconds(options.retry_interval) &&
                          txn.next_cron_interval > txn.options.retry_interval;
  if (backed_off || now - pass.touched >= kSlowPass) TouchReset(txn, pass, now, options);
}

void TouchReset(Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options) {
  txn.next_cron_interval = BaseInterval(txn, options);
  SetDue(txn, pass, now, options);
}

int64_t Doublings(const Transaction& txn, const EngineOptions& options) {
  const int64_t times = txn.next_cron_interval / BaseInterval(txn, options);
  return times < 1 ? 0 : std::bit_width(static_cast<uint64_t>(times)) - 1;
}

}  // namespace troth
