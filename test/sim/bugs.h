#pragma once
// Bugs planted on purpose, one at a time, to show that the auditor sees what it is there for. They
// sit at the ports of the production code: between a server and its store, and between a shard and
// the services.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "caller/caller.h"
#include "context.h"
#include "sim_store.h"

namespace troth::sim {

enum class Bug : uint8_t {
  kNone,
  // --- at the store
  kReplyBeforeDurable,
  kCallBeforeDecision,
  kEndBeforeDurable,
  kForgetVersion,
  kUnknownIsStored,
  kConflictIsStored,
  kLosePage,
  kDropClaim,
  kLoseRetryTimer,
  kRetryAtOnce,
  kStaleClaim,
  kLateClaim,
  // --- at the services
  kUnknownIsFailure,
  kFailureIsUnknown,
  kOngoingIsSuccess,
  kSwapConfirmOrder,
  kConfirmIsCancel,
  kDropCompensation,
  kDropConfirm,
  // --- in the services
  kNoBarrier,
  // --- at the clock
  kStoppedClock,
};

struct BugInfo {
  Bug bug;
  std::string_view name;
  std::string_view meaning;
  // Caught within this many seeds, counted from 1; the tier shows it.
  uint64_t seeds;
};

// All but kNone.
std::span<const BugInfo> AllBugs();
std::optional<Bug> ParseBug(std::string_view name);

// The store with a bug between it and its servers; passes everything on when the bug is elsewhere.
class BuggyStore final : public StorePort {
 public:
  BuggyStore(Context& context, StorePort& store, Bug bug)
      : context_(context), store_(store), bug_(bug) {}

  void Commit(Incarnation from, std::vector<SaveRecord> saves, CommitFn done) override;
  void Load(Incarnation from, std::string gid, LoadFn done) override;
  void ClaimDue(
      Incarnation from, TimePoint now, TimePoint lease_until, size_t limit, ClaimFn done) override;

 private:
  bool ConfirmsEarly(const SaveRecord& save) const;
  void Spoil(SaveRecord& save);
  void CommitBlindly(Incarnation from, SaveRecord save, CommitFn done);

  Context& context_;
  StorePort& store_;
  const Bug bug_;
};

// Likewise for calls.
class BuggyCaller final : public BranchCaller, public CallSink {
 public:
  BuggyCaller(Context& context, BranchCaller& caller, Bug bug)
      : context_(context), caller_(caller), bug_(bug) {}

  void Start(const Call& call, CallSink& sink) override;
  void OnCallDone(TxnId id, uint32_t call, CallResult result) override;

 private:
  bool Drops(const Call& call) const;

  Context& context_;
  BranchCaller& caller_;
  const Bug bug_;
  CallSink* sink_ = nullptr;  // the same for all calls of a shard
};

// Likewise for a server's clock.
class BuggyClock final : public Clock {
 public:
  BuggyClock(const Clock& clock, Bug bug) : clock_(clock), bug_(bug) {}

  TimePoint Now() const override { return clock_.Now() - missed_; }
  // The server stands still for so long.
  void OnPause(Duration pause) {
    if (bug_ == Bug::kStoppedClock) missed_ += pause;
  }

 private:
  const Clock& clock_;
  const Bug bug_;
  Duration missed_{0};
};

}  // namespace troth::sim
