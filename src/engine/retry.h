#pragma once
// Delays and deadlines: when a transaction is looked at again. protocol/server.md 5.8.
// next_cron_interval starts at the base interval, doubles with every unknown outcome up to
// Limits::retry_interval_max, stays on ONGOING, and a success brings it back.

#include <cstdint>

#include "base/time.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/transaction.h"

namespace troth {

// Seconds of an option as a duration; below 0 is 0, above Limits::option_seconds_max is that.
Duration BoundedSeconds(int64_t seconds, const EngineOptions& options);

// Seconds between looks when nothing has gone wrong, at least 1.
int64_t BaseInterval(const Transaction& txn, const EngineOptions& options);

// How long a transaction may stay prepared: its own value or the server's.
Duration TimeoutToFail(const Transaction& txn, const EngineOptions& options);

// How long one call of a branch may take.
Duration RequestTimeout(const Transaction& txn, const EngineOptions& options);

// How long a pass keeps others away after each of its saves: longer than any call of it takes.
Duration LeaseTime(const Transaction& txn, const EngineOptions& options);

// What an outcome does to the interval and to pass.due. A success leaves alone what other rows of
// the pass wait for.
// Unknown: due after `at_least` if that is later.
void TouchUnknown(Transaction& txn,
                  PassState& pass,
                  TimePoint now,
                  const EngineOptions& options,
                  Duration at_least = Duration(0));
void TouchOngoing(Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options);
void TouchSucceeded(Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options);
// Back to the base interval, due one interval from now.
void TouchReset(Transaction& txn, PassState& pass, TimePoint now, const EngineOptions& options);

// How often the interval has doubled: the retry_count an alert tells.
int64_t Doublings(const Transaction& txn, const EngineOptions& options);

}  // namespace troth
