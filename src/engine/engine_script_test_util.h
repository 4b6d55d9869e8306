#pragma once
// Drives an engine in tests: events in, actions out as lines of text, with a small store and the
// open saves, loads and calls kept in between. Breaches of what the engine promises its callers are
// collected on the way.
//
// Lines, each with the seconds since the start:
//   @0 save m1 v1 submitted lease=10 iv=10 rows=PP     lease or due: next_cron_time
//   @0 reply #1 ok
//   @0 call m1/01 action http://a
//   @0 ended m1 succeed

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace troth {

class EngineScript {
 public:
  explicit EngineScript(EngineOptions options = {});

  // --- events

  // Sends a request; its token is the number of requests sent so far, also returned.
  ReplyToken Send(Request request);
  // Answers the open save. A stored one goes to the store, unless the store has moved on: then the
  // answer is a conflict.
  void Saved(const std::string& gid);
  // The open save is in the store; Saved tells the engine later.
  void Written(const std::string& gid);
  void Conflict(const std::string& gid);
  void Refused(const std::string& gid);
  void Unknown(const std::string& gid, bool stored);
  // Answers the open load with what the store has.
  void Loaded(const std::string& gid);
  void LoadFailed(const std::string& gid, std::string error);
  // Answers the open call.
  void Done(const std::string& gid, std::string_view branch_id, BranchOp op, CallResult result);
  // The store is asked and hands over what it has, due or not, for one retry interval; the answer
  // is on its way.
  void AskClaim(const std::string& gid);
  // That answer arrives; without one on its way, the store is asked and answers at once.
  void Claim(const std::string& gid);
  // Time passes, with all ticks on the way and, where asked for, all claims.
  void Advance(Duration duration);
  // The process ends and starts again: only the store remains.
  void Crash();
  void StopStarting() { engine_->StopStarting(); }
  void HandBack();

  // Saves, loads and claims are answered at once, as by a store that never fails.
  bool auto_store = false;
  bool auto_claim = false;

  // --- what came of them

  // The lines since the last call.
  std::vector<std::string> Take();
  // Breaches of the engine's promises so far.
  const std::vector<std::string>& breaches() const { return breaches_; }

  struct OpenCall {
    std::string gid;
    std::string branch_id;
    BranchOp op = BranchOp::kAction;
    TxnId id = 0;
    uint32_t call = 0;
  };
  const std::vector<OpenCall>& calls() const { return calls_; }
  std::function<void(const OpenCall&)> on_call;  // sees each call as it is asked for
  size_t unanswered() const { return asked_.size(); }
  std::vector<std::string> open_saves() const;
  std::vector<std::string> open_loads() const;
  bool HasOpenSave(const std::string& gid) const { return saves_.contains(gid); }
  // Whether the open save is of the version after the stored one.
  bool SaveFollows(const std::string& gid) const;
  bool HasOpenLoad(const std::string& gid) const { return loads_.contains(gid); }
  // To change what is stored, as another server would.
  Transaction& stored(const std::string& gid) { return store_.at(gid); }
  bool HasStored(const std::string& gid) const { return store_.contains(gid); }
  void EraseStored(const std::string& gid) { store_.erase(gid); }
  const std::map<std::string, Transaction>& store() const { return store_; }
  // When the store hands it over next.
  TimePoint due(const std::string& gid) const { return due_.at(gid); }
  TimePoint now() const { return now_; }
  Engine& engine() { return *engine_; }

 private:
  struct OpenSave {
    TxnId id = 0;
    uint64_t expected = 0;
    bool written = false;
    Transaction txn;
  };

  void Step(Event event);
  void StepOnce(Event event);
  void See(const Save& save);
  void See(const Load& load);
  void See(const Call& call);
  void See(const Reply& reply);
  void See(const Alert& alert);
  void See(const Ended& ended);
  void CheckParts(const Save& save, const Transaction* before);
  void CheckMove(const Transaction& before, const Transaction& after);
  void Write(const std::string& gid, OpenSave& save);
  void AnswerSave(const std::string& gid, SaveResult result, std::string error);
  bool AnswerStoreOnce();
  bool ClaimDueOnce();
  std::optional<TimePoint> NextHappening() const;
  void Print(std::string line);
  void Breach(const std::string& what);
  std::string Since(TimePoint time) const;
  std::string Describe(const Transaction& txn) const;

  const EngineOptions options_;
  const TimePoint start_ = TimePoint(std::chrono::hours(24 * 365));
  TimePoint now_ = start_;
  std::unique_ptr<Engine> engine_;
  ReplyToken tokens_ = 0;
  std::map<ReplyToken, std::string> asked_;  // not answered yet: the gid
  std::map<std::string, Transaction> store_;
  std::map<std::string, TimePoint> due_;
  std::map<std::string, OpenSave> saves_;
  std::map<std::string, TxnId> loads_;
  std::map<std::string, Claimed> claims_;
  std::vector<OpenCall> calls_;
  std::vector<std::string> lines_;
  std::vector<std::string> breaches_;
};

// --- Requests and results, briefly

Request PrepareOf(std::string gid, TransType type);
// A msg or saga with one step for each URL; a saga's compensation of "x" is "undo-x". An empty URL
// stays empty on both sides.
Request SubmitOf(std::string gid, TransType type, const std::vector<std::string>& urls = {});
Request RegisterOf(std::string gid, TransType type, std::string branch_id, std::string url);
Request RequestOf(RequestKind kind, std::string gid, TransType type);

CallResult Succeeds();
CallResult Fails(std::string text = "FAILURE");
CallResult Ongoing();
CallResult Unknown(std::string text = "oops", int grpc_code = 2);

}  // namespace troth
