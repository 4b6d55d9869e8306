// The engine alone: a submitted message with two branches from its event to its end, six steps.

#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/random.h"
#include "base/text.h"
#include "engine/engine.h"

namespace troth {
namespace {

constexpr uint64_t kSeed = 1;

RequestPtr TwoBranchMsg(std::string gid) {
  auto request = std::make_unique<Request>();
  request->token = 1;
  Transaction& txn = request->draft;
  txn.gid = std::move(gid);
  txn.protocol = Protocol::kGrpc;
  txn.options.wait_result = true;
  for (const std::string_view id : {"01", "02"}) {
    txn.branches.push_back({.branch_id = std::string(id),
                            .url = "127.0.0.1:8082/api.trans.v1.Trans/TransOut",
                            .payload = static_cast<uint32_t>(txn.payloads.size())});
    txn.payloads.emplace_back("\x08\x1e");
  }
  return request;
}

// What the world answers to an action; nothing: it needs no answer.
std::optional<Event> AnswerTo(const Action& action) {
  if (const auto* save = std::get_if<Save>(&action)) {
    return SaveDone{.id = save->id, .version = save->txn->version};
  }
  if (const auto* call = std::get_if<Call>(&action)) {
    return CallDone{
        .id = call->id, .call = call->call, .result = {.outcome = BranchOutcome::kSucceeded}};
  }
  return std::nullopt;
}

void EngineMessage(benchmark::State& state) {
  Engine engine({}, kSeed);
  Random random(kSeed);
  TimePoint now = FromMicros(1);
  Actions actions;
  int64_t steps = 0;
  for (auto each : state) {
    state.PauseTiming();
    std::optional<Event> next = TwoBranchMsg(NewGid(random));
    state.ResumeTiming();
    while (next) {
      actions.clear();
      engine.Step(now += Duration(1), *std::exchange(next, std::nullopt), actions);
      ++steps;
      for (const Action& action : actions) {
        if (std::optional<Event> answer = AnswerTo(action)) next = std::move(answer);
      }
    }
  }
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kAvgIterations);
}
BENCHMARK(EngineMessage);

}  // namespace
}  // namespace troth
