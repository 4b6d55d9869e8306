#pragma once
// The engine's inside. engine.cc: events and what they mean for saves, loads and requests.
// pass.cc: what a pass does from one event to the next.

#include <memory>
#include <optional>
#include <vector>

#include "engine/deadline_queue.h"
#include "engine/engine.h"
#include "engine/forgotten.h"
#include "engine/in_flight.h"
#include "engine/requests.h"

namespace troth {

class Engine::Impl {
 public:
  Impl(EngineOptions options, uint64_t seed) : options_(options), table_(seed) {}

  void Step(TimePoint now, Event&& event, Actions& actions);
  std::optional<TimePoint> NextDeadline() const;
  void StopStarting() { stopping_ = true; }
  std::optional<OpenCallView> FindCall(TxnId id, uint32_t number);
  void Prefetch(TxnId id) const { table_.Prefetch(id); }
  size_t busy() const { return table_.size() - idle_.size(); }
  size_t resident() const { return table_.size(); }
  size_t room() const;
  const EngineCounters& counters() const { return counters_; }
  uint64_t forgotten() const { return forgotten_.count(); }

 private:
  // --- events (engine.cc)
  void On(RequestPtr& request);
  void On(SaveDone& done);
  void On(LoadDone& done);
  void On(Claimed& claimed);
  void On(CallDone& done);  // pass.cc
  void On(Tick& tick);
  void On(HandBack& hand_back);  // pass.cc

  // --- records and requests (engine.cc)
  void Stored(InFlight& t);
  void Lost(InFlight& t);  // another server's save came first
  void Unknown(InFlight& t, const std::string& error);
  void Refused(InFlight& t, const std::string& error);  // the store cannot hold it
  void Found(InFlight& t, Transaction&& loaded);
  void Adopt(InFlight& t, Transaction&& record);
  void LookFirst(const Claimed& claimed);
  void ClaimedBusy(InFlight& t, Claimed& claimed);
  void ApplyQueue(InFlight& t);
  void CarryOut(InFlight& t, const RequestEffects& effects);
  void AnswerApplied(InFlight& t);
  void GiveUp(InFlight& t, const std::string& why);
  void Continue(InFlight& t);
  void Settle(InFlight& t);
  void KeepIdle(InFlight& t);
  void Forget(InFlight& t);
  std::optional<TimePoint> DeadlineOf(const InFlight& t) const;
  bool IsIdle(const InFlight& t) const { return idle_.contains(t.slot); }

  // --- what a transaction asks for (engine.cc)
  void AskSave(InFlight& t, OpenSave kind);
  void AskLoad(InFlight& t);
  void SendReply(ReplyToken token, Answer&& answer, const Transaction* txn);

  // --- passes (pass.cc)
  void StartPass(InFlight& t, TimePoint first_due);
  void StartClaimedPass(InFlight& t, TimePoint lease_until);
  void MarkOpenCalls(InFlight& t);
  void EndPass(InFlight& t);
  void Advance(InFlight& t);
  // Each carries out one step of the plan; true: plan again.
  bool Do(InFlight& t, const CallBranches& step);
  bool Do(InFlight& t, const CallBack& step);
  bool Do(InFlight& t, const SaveProgress& step);
  bool Do(InFlight& t, const Await& step);
  bool Do(InFlight& t, const Park& step);
  bool Do(InFlight& t, const MoveTo& step);
  bool RenewsLeaseFirst(InFlight& t);
  void CallRow(InFlight& t, size_t row);
  void Learn(InFlight& t, const OpenCall& call, CallResult& result);
  std::optional<TimePoint> NextTry(const InFlight& t, size_t row) const;
  static std::optional<TimePoint> NextCallback(const InFlight& t);
  void ChangeRow(InFlight& t, size_t row, BranchStatus status);
  void BranchDone(InFlight& t, size_t row, CallResult& result);
  void SagaActionDone(InFlight& t, size_t row, CallResult& result);
  void RowSucceeded(InFlight& t, size_t row);
  void RowUndecided(InFlight& t, size_t row, CallResult& result);
  void RetrySagaAction(InFlight& t, size_t row);
  void CallbackDone(InFlight& t, CallResult& result);
  void AlertOf(InFlight& t, std::string_view url, const std::string& text);
  void MarkDirty(InFlight& t);

  const EngineOptions options_;
  InFlightTable table_;
  DeadlineQueue deadlines_;  // of busy transactions
  DeadlineQueue idle_;       // of idle ones: when to forget them
  Forgotten forgotten_;
  bool stopping_ = false;
  EngineCounters counters_;

  std::vector<std::unique_ptr<Transaction>> snapshots_;  // shown by the last Step's replies

  // Of the Step that runs.
  TimePoint now_{};
  Actions* actions_ = nullptr;
};

}  // namespace troth
