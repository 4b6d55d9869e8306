#include "runtime/shard.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/text.h"
#include "caller/call_metrics.h"

namespace troth {
namespace {

constexpr int kGrpcUnavailable = 14;

}  // namespace

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
  if (!lanes_.empty()) WakeDue();
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
  if (result.unreachable || !lanes_.empty()) TellLanes(id, call, result);
  Handle(CallDone{id, call, std::move(result)});
}

void Shard::TellLanes(TxnId id, uint32_t call, const CallResult& result) {
  const std::optional<Engine::OpenCallView> open = engine_.FindCall(id, call);
  if (!open) return;
  if (!result.unreachable) {
    if (!lanes_.OnAnswered(open->url, clock_.Now())) return;
    counters_.circuits_closed.Add();
    return LogInfo("endpoint answers again", {{"endpoint", EndpointOf(open->url)}});
  }
  if (!lanes_.OnUnreachable(open->url, open->gid, clock_.Now())) return;
  counters_.circuits_opened.Add();
  LogWarn("endpoint does not answer; its calls are held back until it does",
          {{"endpoint", EndpointOf(open->url)}, {"error", result.text}});
}

bool Shard::RefusedByLane(const Call& call) {
  // A client that limits the tries means real ones.
  if (lanes_.empty() || call.txn->options.retry_limit > 0) return false;
  const std::optional<Duration> hold = lanes_.Refuses(call.url, call.txn->gid, clock_.Now());
  if (!hold) return false;
  counters_.calls_held_back.Add();
  const std::string text = Cat("rpc error: code = Unavailable desc = ",
                               EndpointOf(call.url),
                               " has not answered several times; it is asked again soon");
  Handle(CallDone{call.id,
                  call.call,
                  {.text = text, .grpc_code = kGrpcUnavailable, .held_back = true, .hold = *hold}});
  return true;
}

// What waits for an endpoint is due now.
void Shard::WakeDue() {
  for (std::string& gid : lanes_.TakeDue(clock_.Now())) {
    auto request = std::make_unique<Request>();
    request->kind = RequestKind::kResetNextCronTime;
    request->type_given = false;
    request->draft.gid = std::move(gid);
    waiting_.push_back(std::move(request));
  }
}

std::optional<TimePoint> Shard::NextDeadline() const {
  const std::optional<TimePoint> engine = engine_.NextDeadline();
  const std::optional<TimePoint> lanes = lanes_.empty() ? std::nullopt : lanes_.NextDue();
  if (!engine || !lanes) return engine ? engine : lanes;
  return std::min(*engine, *lanes);
}

void Shard::CarryOut(Actions& actions) {
  for (Action& action : actions) {
    std::visit([this](auto& what) { Do(what); }, action);
  }
  actions.clear();
}

void Shard::Do(Save& save) {
  counters_.saves.Add();
  ports_.Save(save);
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
  if (RefusedByLane(call)) return;
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
