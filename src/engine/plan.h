#pragma once
// What a transaction needs next: one pure function per kind of transaction. The same transaction,
// pass and time give the same step; the engine alone changes state and asks for actions.
//
// A pass is the work on a transaction from a trigger (submit, abort, claim) until it has ended or
// must wait.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "engine/options.h"
#include "engine/outcome.h"
#include "engine/transaction.h"

namespace troth {

// What a pass knows of one row beyond the record.
enum class RowState : uint8_t {
  kIdle,      // not called in this pass, or what came of it is in the record and durable
  kRunning,   // its call is open
  kAnswered,  // the answer decided nothing (ongoing, unknown): not called again in this pass
  kUnsaved,   // succeeded, in the record in memory only
  kSaving,    // succeeded, in a save that is open
  // A saga action that succeeded after the decision to roll back. Its row stays prepared until it
  // is compensated: a success would make the steps behind it look as if they had been started.
  kSucceededLate,
};

class PassState {
 public:
  // Begins a new pass: nothing called yet, except what is still open from an earlier one.
  void Reset(TimePoint now, TimePoint first_due);

  RowState row(size_t i) const { return i < rows_.size() ? rows_[i] : RowState::kIdle; }
  void Set(size_t i, RowState state);
  size_t running() const { return running_; }    // branch calls open, the callback not counted
  size_t answered() const { return answered_; }  // rows that wait for a later pass

  // All rows in state `from` become `to`.
  void Replace(RowState from, RowState to);

  TimePoint due{};      // when to look again once nothing more can be done now (see retry.h)
  TimePoint touched{};  // when `due` was last moved, at first the start of the pass
  // Check-back of a msg, callback of a workflow; and what it brought.
  RowState callback = RowState::kIdle;
  BranchOutcome callback_outcome = BranchOutcome::kUnknown;
  std::string abort_reason;  // saga: why it must roll back, known before the decision is saved

 private:
  std::vector<RowState> rows_;  // by position in Transaction::branches, grown as needed
  size_t running_ = 0;
  size_t answered_ = 0;
};

// Call these rows, in any order.
struct CallBranches {
  std::vector<size_t> rows;
};
// Call query_prepared as branch 00.
struct CallBack {};
// Make what is known durable: more can start only then.
struct SaveProgress {};
// Nothing to do before an open call comes back, or before `until`.
struct Await {
  std::optional<TimePoint> until;
};
// Nothing to do before `until`: the pass ends.
struct Park {
  TimePoint until;
};
// Decided: the transaction gets this status, durably, before anything else.
struct MoveTo {
  TransStatus status;
  std::string reason;  // rollback_reason; empty: leave it
};
using NextStep = std::variant<CallBranches, CallBack, SaveProgress, Await, Park, MoveTo>;

// Of an unfinished transaction.
NextStep Plan(const Transaction& txn,
              const PassState& pass,
              TimePoint now,
              const EngineOptions& options);

NextStep PlanMsg(const Transaction& txn,
                 const PassState& pass,
                 TimePoint now,
                 const EngineOptions& options);
NextStep PlanSagaForward(const Transaction& txn,
                         const PassState& pass,
                         TimePoint now,
                         const EngineOptions& options);
NextStep PlanSagaBackward(const Transaction& txn,
                          const PassState& pass,
                          TimePoint now,
                          const EngineOptions& options);
NextStep PlanTcc(const Transaction& txn,
                 const PassState& pass,
                 TimePoint now,
                 const EngineOptions& options);
NextStep PlanXa(const Transaction& txn,
                const PassState& pass,
                TimePoint now,
                const EngineOptions& options);
NextStep PlanWorkflow(const Transaction& txn,
                      const PassState& pass,
                      TimePoint now,
                      const EngineOptions& options);

// --- Shared by the planners

// The step for one row that must succeed before anything else goes on.
NextStep PlanRow(size_t row, const PassState& pass);

// When to look again at a record no planner knows what to do with, such as a prepared saga another
// server left behind: seldom, since only an operator can help.
Park ParkStranded(TimePoint now, const EngineOptions& options);

// A prepared tcc or xa: rolled back once its timeout is over.
NextStep PlanPrepared(const Transaction& txn, TimePoint now, const EngineOptions& options);

}  // namespace troth
