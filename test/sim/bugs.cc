#include "bugs.h"

#include <array>
#include <string>
#include <utility>

#include "base/text.h"

namespace troth::sim {
namespace {

constexpr std::array kBugs = {
    BugInfo{Bug::kReplyBeforeDurable,
            "reply-before-durable",
            "a creation is confirmed before its sync",
            20},
    BugInfo{Bug::kCallBeforeDecision,
            "call-before-decision",
            "a decision to abort is acted on before its sync",
            20},
    BugInfo{Bug::kEndBeforeDurable, "end-before-durable", "the end is told before its sync", 20},
    BugInfo{Bug::kForgetVersion, "forget-version", "a save overwrites whatever is stored", 100},
    BugInfo{Bug::kUnknownIsStored,
            "unknown-is-stored",
            "a save nobody confirmed counts as stored",
            100},
    BugInfo{Bug::kConflictIsStored,
            "conflict-is-stored",
            "a save that met another counts as stored",
            100},
    BugInfo{Bug::kLosePage, "lose-page", "branches registered later are not written", 20},
    BugInfo{Bug::kDropClaim, "drop-claim", "one claimed transaction in four reaches nobody", 50},
    BugInfo{Bug::kLoseRetryTimer,
            "lose-retry-timer",
            "one parked transaction in four is never due again",
            50},
    BugInfo{Bug::kRetryAtOnce, "retry-at-once", "a parked transaction is due at once", 200},
    BugInfo{Bug::kStaleClaim,
            "stale-claim",
            "a claim is acted on although its server has gone on meanwhile",
            500},
    BugInfo{Bug::kLateClaim,
            "late-claim",
            "the lease of a claim counts from when it comes, not from when it was asked for",
            100},
    BugInfo{Bug::kUnknownIsFailure, "unknown-is-failure", "silence counts as a refusal", 50},
    BugInfo{Bug::kFailureIsUnknown, "failure-is-unknown", "a refusal counts as silence", 50},
    BugInfo{Bug::kOngoingIsSuccess,
            "ongoing-is-success",
            "a service that is still at it counts as done",
            50},
    BugInfo{
        Bug::kSwapConfirmOrder, "swap-confirm-order", "a tcc confirms first registered first", 50},
    BugInfo{
        Bug::kConfirmIsCancel, "confirm-is-cancel", "one confirm in four goes out as a cancel", 50},
    BugInfo{
        Bug::kDropCompensation, "drop-compensation", "one compensation in four is not called", 50},
    BugInfo{Bug::kDropConfirm, "drop-confirm", "one confirm or commit in four is not called", 50},
    BugInfo{Bug::kNoBarrier, "no-barrier", "services do what they are told twice", 50},
    BugInfo{Bug::kStoppedClock,
            "stopped-clock",
            "a server that stood still reckons its leases as if no time had passed",
            100},
};

constexpr uint64_t kSometimes = 4;  // bugs that strike one time in so many
constexpr Duration kNever = Seconds(30LL * 24 * 3600);

}  // namespace

std::span<const BugInfo> AllBugs() { return kBugs; }

std::optional<Bug> ParseBug(std::string_view name) {
  for (const BugInfo& info : kBugs) {
    if (info.name == name) return info.bug;
  }
  return std::nullopt;
}

// --- At the store

bool BuggyStore::ConfirmsEarly(const SaveRecord& save) const {
  switch (bug_) {
    case Bug::kReplyBeforeDurable: return save.expected_version == 0;
    case Bug::kCallBeforeDecision: return save.index.status == TransStatus::kAborting;
    case Bug::kEndBeforeDurable:
      return save.index.status == TransStatus::kSucceeded ||
             save.index.status == TransStatus::kFailed;
    default: return false;
  }
}

void BuggyStore::Spoil(SaveRecord& save) {
  const TransStatus status = save.index.status;
  const bool runs = status == TransStatus::kSubmitted || status == TransStatus::kAborting;
  const bool parks = runs && !save.index.leased;
  if (bug_ == Bug::kLosePage && save.expected_version > 0) save.page.clear();
  if (bug_ == Bug::kRetryAtOnce && parks) save.index.due = FromMicros(0);
  if (bug_ == Bug::kLoseRetryTimer && parks && context_.random.OneIn(kSometimes)) {
    save.index.due += kNever;
  }
}

void BuggyStore::Commit(Incarnation from, std::vector<SaveRecord> saves, CommitFn done) {
  std::vector<bool> early(saves.size());
  bool all_early = !saves.empty();
  for (size_t i = 0; i < saves.size(); ++i) {
    Spoil(saves[i]);
    early[i] = ConfirmsEarly(saves[i]);
    all_early = all_early && early[i];
  }
  if (all_early) {
    done(std::vector<SaveOutcome>(saves.size()));
    done = [](const std::vector<SaveOutcome>&) {};
  }
  if (bug_ == Bug::kForgetVersion && saves.size() == 1 && saves[0].expected_version > 0) {
    return CommitBlindly(from, std::move(saves[0]), std::move(done));
  }
  store_.Commit(from, std::move(saves), [this, done](std::vector<SaveOutcome> outcomes) {
    for (SaveOutcome& outcome : outcomes) {
      const bool unknown = bug_ == Bug::kUnknownIsStored && outcome.result == SaveResult::kUnknown;
      const bool lost = bug_ == Bug::kConflictIsStored && outcome.result == SaveResult::kConflict;
      if (unknown || lost) outcome.result = SaveResult::kStored;
    }
    done(std::move(outcomes));
  });
}

// Reads what is there and writes over it, as a plain UPDATE would.
void BuggyStore::CommitBlindly(Incarnation from, SaveRecord save, CommitFn done) {
  std::string gid = save.gid;
  store_.Load(from, std::move(gid), [this, from, save = std::move(save), done](const auto& found) {
    SaveRecord blind = save;
    if (found.ok() && found->has_value()) {
      blind.expected_version = (*found)->version;
      blind.version = blind.expected_version + 1;
    }
    store_.Commit(from, {std::move(blind)}, done);
  });
}

void BuggyStore::Load(Incarnation from, std::string gid, LoadFn done) {
  store_.Load(from, std::move(gid), std::move(done));
}

void BuggyStore::ClaimDue(
    Incarnation from, TimePoint now, TimePoint lease_until, size_t limit, ClaimFn done) {
  if (bug_ == Bug::kStaleClaim) {
    // Late ones are rare otherwise.
    const Duration late = context_.Between(Millis(500), Millis(4'000));
    done = [this, late, done = std::move(done)](const auto& records) {
      context_.scheduler.After(late, [done, records] { done(records); });
    };
  }
  if (bug_ != Bug::kDropClaim || !context_.random.OneIn(kSometimes)) {
    return store_.ClaimDue(from, now, lease_until, limit, std::move(done));
  }
  store_.ClaimDue(from, now, now + kNever, limit, [done](const auto& records) {
    done(records.ok() ? StatusOr<std::vector<StoredRecord>>(std::vector<StoredRecord>()) : records);
  });
}

// --- At the services

bool BuggyCaller::Drops(const Call& call) const {
  switch (bug_) {
    case Bug::kDropCompensation:
      return call.op == BranchOp::kCompensate && context_.random.OneIn(kSometimes);
    case Bug::kDropConfirm:
      return (call.op == BranchOp::kConfirm || call.op == BranchOp::kCommit) &&
             context_.random.OneIn(kSometimes);
    default: return false;
  }
}

void BuggyCaller::Start(const Call& call, CallSink& sink) {
  sink_ = &sink;
  Call spoilt = call;
  if (Drops(call)) spoilt.op = BranchOp::kBusiness;  // services do nothing on it
  if (bug_ == Bug::kConfirmIsCancel && call.op == BranchOp::kConfirm &&
      context_.random.OneIn(kSometimes)) {
    spoilt.op = BranchOp::kCancel;
  }
  if (bug_ == Bug::kSwapConfirmOrder && call.op == BranchOp::kConfirm) {
    // The rows are pairs of cancel and confirm; the mirrored one is called instead.
    const std::optional<size_t> row = FindBranch(*call.txn, call.branch_id, call.op);
    const Branch& mirrored = call.txn->branches[call.txn->branches.size() - *row];
    spoilt.branch_id = mirrored.branch_id;
    spoilt.url = mirrored.url;
  }
  caller_.Start(spoilt, *this);
}

void BuggyCaller::OnCallDone(TxnId id, uint32_t call, CallResult result) {
  if (bug_ == Bug::kUnknownIsFailure && result.outcome == BranchOutcome::kUnknown) {
    result.outcome = BranchOutcome::kFailed;
  } else if (bug_ == Bug::kFailureIsUnknown && result.outcome == BranchOutcome::kFailed) {
    result.outcome = BranchOutcome::kUnknown;
  } else if (bug_ == Bug::kOngoingIsSuccess && result.outcome == BranchOutcome::kOngoing) {
    result.outcome = BranchOutcome::kSucceeded;
  }
  sink_->OnCallDone(id, call, std::move(result));
}

}  // namespace troth::sim
