#include "runtime/shard.h"

#include <utility>
#include <variant>

#include "base/log.h"
#include "store/record.h"

namespace troth {

Shard::Shard(EngineOptions options,
             uint64_t seed,
             const Clock& clock,
             BranchCaller& caller,
             ShardPorts& ports)
    : engine_(std::move(options), seed), clock_(clock), caller_(caller), ports_(ports) {}

void Shard::Handle(Event event) {
  if (halted_) return;
  if (stepping_) {
    waiting_.push_back(std::move(event));
    return;
  }
  stepping_ = true;
  counters_.events.Add();
  engine_.Step(clock_.Now(), std::move(event), actions_);
  CarryOut(actions_);
  while (!waiting_.empty()) {
    std::vector<Event> batch = std::exchange(waiting_, {});
    for (Event& next : batch) {
      counters_.events.Add();
      engine_.Step(clock_.Now(), std::move(next), actions_);
      CarryOut(actions_);
    }
  }
  stepping_ = false;
  ports_.OnHandled();
}

void Shard::OnCallDone(TxnId id, uint32_t call, CallResult result) {
  if (halted_) return;
  if (result.outcome == BranchOutcome::kUnknown) counters_.calls_unknown.Add();
  LogDebug("call answered",
           {{"id", id},
            {"call", call},
            {"outcome", OutcomeName(result.outcome)},
            {"text", result.text}});
  Handle(CallDone{id, call, std::move(result)});
}

void Shard::CarryOut(Actions& actions) {
  for (Action& action : actions) {
    std::visit([this](auto& what) { Do(what); }, action);
  }
  actions.clear();
}

void Shard::Do(Save& save) {
  counters_.saves.Add();
  ports_.Save(save.id, EncodeSave(save));
}

void Shard::Do(Load& load) {
  counters_.loads.Add();
  ports_.Load(load.id, std::move(load.gid));
}

void Shard::Do(Call& call) {
  counters_.calls.Add();
  LogDebug("call",
           {{"id", call.id},
            {"call", call.call},
            {"gid", call.txn->gid},
            {"branch_id", call.branch_id},
            {"op", WireName(call.op)},
            {"url", call.url}});
  caller_.Start(call, *this);
}

void Shard::Do(Reply& reply) { ports_.Answer(reply); }

void Shard::Do(Alert& alert) { ports_.OnAlert(alert); }

void Shard::Do(Ended& ended) {
  const Transaction& txn = *ended.txn;
  auto& ends = txn.status == TransStatus::kSucceeded ? counters_.succeeded : counters_.failed;
  ends[static_cast<size_t>(txn.type)].Add(txn.update_time - txn.create_time);
  ports_.OnEnded(txn);
}

}  // namespace troth
