// Random conversations: whatever clients ask, services answer and the store does, what the engine
// promises holds, and once everything answers again every transaction ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "engine/engine_script_test_util.h"

namespace troth {
namespace {

using ::testing::IsEmpty;

constexpr int kSeeds = 150;
constexpr int kEvents = 250;

EngineOptions RandomOptions(Random& random) {
  EngineOptions options;
  options.limits.parallel_calls_max = 1 + random.Below(4);
  options.limits.resident_idle_max = random.Below(3);
  options.limits.waiting_requests_max = 1 + random.Below(8);
  options.alerts = random.OneIn(2);
  return options;
}

// What the services of one saga step have seen.
struct StepHistory {
  bool action_may_have_run = false;  // an action call ended otherwise than refused, or never
  bool compensation_called = false;
  bool compensated = false;
};

class RandomConversation {
 public:
  explicit RandomConversation(uint64_t seed) : random_(seed), script_(RandomOptions(random_)) {
    script_.auto_claim = true;
    script_.on_call = [this](const EngineScript::OpenCall& call) { Called(call); };
    for (const TransType type : {TransType::kMsg,
                                 TransType::kSaga,
                                 TransType::kSaga,
                                 TransType::kTcc,
                                 TransType::kXa,
                                 TransType::kWorkflow}) {
      gids_.emplace_back(Cat(WireName(type), gids_.size()), type);
    }
  }

  void Run() {
    for (int i = 0; i < kEvents; ++i) {
      Something();
      script_.Take();
    }
    Calm();
    Check();
  }

 private:
  using Named = std::pair<std::string, TransType>;

  void Something() {
    switch (random_.Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3: return Ask();
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: return AnswerSave();
      case 9:
      case 10: return AnswerLoad();
      case 11:
      case 12:
      case 13:
      case 14: return AnswerCall();
      case 15: return script_.Advance(Seconds(static_cast<int64_t>(random_.Below(40))));
      case 16:
      case 17:
      case 18:
        return script_.Advance(std::chrono::milliseconds(static_cast<int64_t>(random_.Below(200))));
      default:
        if (random_.OneIn(8)) Crash();
    }
  }

  // --- clients

  Request Submit(const Named& named) {
    Request request = SubmitOf(named.first, named.second, Urls(named.second));
    Transaction& draft = request.draft;
    draft.options.wait_result = random_.OneIn(2);
    draft.options.concurrent = named.second == TransType::kMsg && random_.OneIn(2);
    draft.options.retry_limit = random_.OneIn(3) ? 2 : 0;
    draft.options.timeout_to_fail = random_.OneIn(3) ? 20 : 0;
    draft.msg_delay = named.second == TransType::kMsg && random_.OneIn(4) ? 5 : 0;
    if (named.second == TransType::kSaga) SetOrders(draft);
    request.workflow_status = random_.OneIn(2) ? "succeed" : "failed";
    return request;
  }

  std::vector<std::string> Urls(TransType type) {
    if (type != TransType::kMsg && type != TransType::kSaga) return {};
    std::vector<std::string> urls(random_.Below(5), "url");
    for (std::string& url : urls) {
      if (random_.OneIn(8)) url.clear();
    }
    return urls;
  }

  void SetOrders(Transaction& draft) {
    draft.saga_concurrent = random_.OneIn(2);
    const auto steps = static_cast<uint32_t>(draft.branches.size() / 2);
    for (uint32_t step = 1; step < steps; ++step) {
      if (random_.OneIn(2)) {
        draft.saga_orders.push_back({step, {static_cast<uint32_t>(random_.Below(step))}});
      }
    }
  }

  void Ask() {
    const Named& named = gids_[random_.Below(gids_.size())];
    const auto& [gid, type] = named;
    Request request = Submit(named);
    switch (random_.Below(10)) {
      case 0:
      case 1: request.kind = RequestKind::kPrepare; break;
      case 2: request = RequestOf(RequestKind::kAbort, gid, type); break;
      case 3:
      case 4:
      case 5: request = RegisterOf(gid, type, Cat("0", random_.Below(5)), "url"); break;
      case 6: request = RequestOf(RequestKind::kPrepareWorkflow, gid, type); break;
      case 7:
        if (!random_.OneIn(6)) break;
        request = RequestOf(RequestKind::kForceStop, gid, type);
        stopped_.insert(gid);
        break;
      case 8: request = RequestOf(RequestKind::kResetNextCronTime, gid, type); break;
      default: break;  // submit
    }
    script_.Send(std::move(request));
  }

  // --- the store

  void AnswerSave() {
    const std::vector<std::string> open = script_.open_saves();
    if (open.empty()) return;
    const std::string& gid = open[random_.Below(open.size())];
    const uint64_t dice = random_.Below(40);
    if (dice == 0) return script_.Unknown(gid, false);
    if (dice == 1 && script_.SaveFollows(gid)) return script_.Unknown(gid, true);
    if (dice == 2 && script_.HasStored(gid)) ++script_.stored(gid).version;  // another server
    script_.Saved(gid);
  }

  void AnswerLoad() {
    const std::vector<std::string> open = script_.open_loads();
    if (open.empty()) return;
    const std::string& gid = open[random_.Below(open.size())];
    if (random_.OneIn(20)) return script_.LoadFailed(gid, "io error");
    script_.Loaded(gid);
  }

  void Crash() {
    for (const auto& call : script_.calls()) MayHaveRun(call);
    script_.Crash();
  }

  // --- services

  void Called(const EngineScript::OpenCall& call) {
    StepHistory& step = history_[{call.gid, call.branch_id}];
    if (call.op == BranchOp::kAction && step.compensation_called) {
      ADD_FAILURE() << call.gid << "/" << call.branch_id << ": an action after its compensation";
    }
    if (call.op != BranchOp::kCompensate) return;
    step.compensation_called = true;
    for (const auto& open : script_.calls()) {
      if (open.gid == call.gid && open.branch_id == call.branch_id &&
          open.op == BranchOp::kAction) {
        ADD_FAILURE() << call.gid << "/" << call.branch_id << ": compensated while it runs";
      }
    }
  }

  void MayHaveRun(const EngineScript::OpenCall& call) {
    if (call.op == BranchOp::kAction) {
      history_[{call.gid, call.branch_id}].action_may_have_run = true;
    }
  }

  void AnswerCall() {
    const auto& open = script_.calls();
    if (open.empty()) return;
    Answer(open[random_.Below(open.size())], RandomResult());
  }

  CallResult RandomResult() {
    switch (random_.Below(8)) {
      case 0: return Fails("no FAILURE");
      case 1: return Ongoing();
      case 2:
      case 3: return Unknown();
      default: return Succeeds();
    }
  }

  void Answer(EngineScript::OpenCall call, CallResult result) {
    if (result.outcome != BranchOutcome::kFailed) MayHaveRun(call);
    if (call.op == BranchOp::kCompensate && result.outcome == BranchOutcome::kSucceeded) {
      history_[{call.gid, call.branch_id}].compensated = true;
    }
    script_.Done(call.gid, call.branch_id, call.op, std::move(result));
  }

  // --- the end

  // Everything answers now, and workflows are submitted by their clients.
  void Calm() {
    script_.auto_store = true;
    for (int i = 0; i < 200 && !AllEnded(); ++i) {
      for (const std::string& gid : script_.open_saves()) {
        if (script_.HasOpenSave(gid)) script_.Saved(gid);
      }
      for (const std::string& gid : script_.open_loads()) {
        if (script_.HasOpenLoad(gid)) script_.Loaded(gid);
      }
      while (!script_.calls().empty()) Answer(script_.calls().front(), Succeeds());
      for (const auto& [gid, type] : gids_) {
        if (type == TransType::kWorkflow && script_.HasStored(gid)) {
          Request request = RequestOf(RequestKind::kSubmit, gid, type);
          request.workflow_status = "succeed";
          script_.Send(std::move(request));
        }
      }
      script_.Advance(std::chrono::minutes(20));
      script_.Take();
    }
    while (!script_.calls().empty()) Answer(script_.calls().front(), Succeeds());
    script_.Advance(Seconds(60));
  }

  bool AllEnded() const {
    if (!script_.open_saves().empty() || !script_.open_loads().empty()) return false;
    if (!script_.calls().empty()) return false;
    for (const auto& [gid, txn] : script_.store()) {
      if (!IsFinal(txn.status)) return false;
    }
    return true;
  }

  void Check() {
    EXPECT_THAT(script_.breaches(), IsEmpty());
    EXPECT_EQ(script_.unanswered(), 0u);
    EXPECT_EQ(script_.engine().resident(), 0u);
    for (const auto& [gid, txn] : script_.store()) {
      EXPECT_TRUE(IsFinal(txn.status)) << gid << " is " << WireName(txn.status);
      if (txn.type == TransType::kSaga && !stopped_.contains(gid)) CheckSaga(txn);
    }
  }

  void CheckSaga(const Transaction& txn) {
    for (size_t i = 0; i + 1 < txn.branches.size(); i += 2) {
      const Branch& undo = txn.branches[i];
      const StepHistory& step = history_[{txn.gid, undo.branch_id}];
      const bool undone = undo.status == BranchStatus::kSucceeded;
      if (txn.status == TransStatus::kSucceeded) {
        EXPECT_EQ(txn.branches[i + 1].status, BranchStatus::kSucceeded) << txn.gid;
        EXPECT_FALSE(step.compensation_called) << txn.gid;
      } else if (step.action_may_have_run) {
        EXPECT_TRUE(undone) << txn.gid << "/" << undo.branch_id << " ran and is not compensated";
        if (!undo.url.empty()) {
          EXPECT_TRUE(step.compensated) << txn.gid;
        }
      }
    }
  }

  Random random_;
  EngineScript script_;
  std::vector<Named> gids_;
  std::set<std::string> stopped_;  // forceStop leaves steps as they are
  std::map<std::pair<std::string, std::string>, StepHistory> history_;
};

TEST(Engine, KeepsItsPromisesInRandomConversations) {
  for (uint64_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(Cat("seed ", seed));
    RandomConversation(seed).Run();
  }
}

}  // namespace
}  // namespace troth
