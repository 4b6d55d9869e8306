#include "bench/load/scenario.h"

#include <algorithm>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr std::string_view kHttpSuffix = "-http";

constexpr int kGrpcOk = 0;
constexpr int kGrpcAborted = 10;
constexpr int kHttpOk = 200;
constexpr int kHttpConflict = 409;

int Success(Wire wire) { return wire == Wire::kGrpc ? kGrpcOk : kHttpOk; }
int Refusal(Wire wire) { return wire == Wire::kGrpc ? kGrpcAborted : kHttpConflict; }

// Makes the URLs of services' methods, and keeps which methods there are.
class Methods {
 public:
  explicit Methods(Wire wire) : wire_(wire) {}

  std::string Url(const std::string& service, std::string_view method) {
    const std::string path =
        Cat(wire_ == Wire::kGrpc ? "/api.trans.v1.Trans/" : "/api/trans/", method);
    if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) paths_.push_back(path);
    return Cat(wire_ == Wire::kGrpc ? "" : "http://", service, path);
  }
  std::vector<std::string> Sorted() {
    std::sort(paths_.begin(), paths_.end());
    return std::move(paths_);
  }

 private:
  const Wire wire_;
  std::vector<std::string> paths_;
};

Scenario SubmitOnly(Wire wire, const Trans& trans, int expected) {
  Scenario scenario{.wire = wire};
  scenario.calls.push_back({.request = SubmitRequest(wire, trans), .expected = expected});
  return scenario;
}

// Two steps, the result waited for.
Scenario Msg(Wire wire, const Services& services) {
  Methods methods(wire);
  Scenario scenario = SubmitOnly(wire,
                                 {.type = "msg",
                                  .steps = {{methods.Url(services.succeeding, "TransOut"), ""},
                                            {methods.Url(services.succeeding, "TransIn"), ""}}},
                                 Success(wire));
  scenario.branch_calls = 2;
  scenario.paths = methods.Sorted();
  return scenario;
}

// A message that is stored and then waits: for its time, or for services that are away.
Scenario WaitingMsg(Wire wire, const std::string& service, const std::string& custom_data) {
  Methods methods(wire);
  return SubmitOnly(
      wire,
      {.type = "msg",
       .steps = {{methods.Url(service, "TransOut"), ""}, {methods.Url(service, "TransIn"), ""}},
       .custom_data = custom_data,
       .wait_result = false},
      Success(wire));
}

// Every action succeeds, or the last one is refused and everything is compensated: the refused one
// too, because nobody knows how far it got.
Scenario Saga(Wire wire, const Services& services, size_t steps, bool compensates) {
  Methods methods(wire);
  Trans trans{.type = "saga"};
  for (size_t i = 0; i < steps; ++i) {
    const bool refused = compensates && i + 1 == steps;
    trans.steps.push_back(
        {methods.Url(refused ? services.refusing : services.succeeding, "TransOut"), ""});
  }
  Methods all = methods;
  for (Step& step : trans.steps) step.compensate = all.Url(services.succeeding, "TransOutRevert");
  Scenario scenario = SubmitOnly(wire, trans, compensates ? Refusal(wire) : Success(wire));
  scenario.branch_calls = static_cast<uint32_t>(compensates ? 2 * steps : steps);
  scenario.paths = compensates ? all.Sorted() : methods.Sorted();
  return scenario;
}

// Prepared, two branches registered, submitted. What the client itself calls (try) is not the
// server's work and left out.
Scenario Tcc(Wire wire, const Services& services) {
  Methods methods(wire);
  const std::string confirm = methods.Url(services.succeeding, "TransOutConfirm");
  Scenario scenario{.wire = wire, .branch_calls = 2, .paths = methods.Sorted()};
  const std::string cancel = methods.Url(services.succeeding, "TransOutCancel");
  const Trans trans{.type = "tcc"};
  const auto add = [&](Request request) {
    scenario.calls.push_back({.request = std::move(request), .expected = Success(wire)});
  };
  add(PrepareRequest(wire, trans));
  add(RegisterTccRequest(wire, {.id = "01", .confirm = confirm, .cancel = cancel}));
  add(RegisterTccRequest(wire, {.id = "02", .confirm = confirm, .cancel = cancel}));
  add(SubmitRequest(wire, trans));
  return scenario;
}

StatusOr<Scenario> ByName(std::string_view name, Wire wire, const Services& services) {
  if (name == "msg") return Msg(wire, services);
  if (name == "msg-delayed") return WaitingMsg(wire, services.succeeding, R"({"delay":86400})");
  if (name == "msg-down") return WaitingMsg(wire, services.down, "");
  if (name == "saga-2") return Saga(wire, services, 2, false);
  if (name == "saga-10") return Saga(wire, services, 10, false);
  if (name == "saga-2-compensate") return Saga(wire, services, 2, true);
  if (name == "saga-10-compensate") return Saga(wire, services, 10, true);
  if (name == "tcc") return Tcc(wire, services);
  return NotFound(Cat("no scenario ", name, "; there are: ", JoinText(ScenarioNames(), ", ")));
}

}  // namespace

std::vector<std::string> ScenarioNames() {
  std::vector<std::string> names;
  for (const std::string_view name : {"msg",
                                      "msg-delayed",
                                      "msg-down",
                                      "saga-2",
                                      "saga-10",
                                      "saga-2-compensate",
                                      "saga-10-compensate",
                                      "tcc"}) {
    names.emplace_back(name);
    names.push_back(Cat(name, kHttpSuffix));
  }
  return names;
}

Wire WireOf(std::string_view scenario_name) {
  return scenario_name.ends_with(kHttpSuffix) ? Wire::kHttp : Wire::kGrpc;
}

StatusOr<Scenario> MakeScenario(const std::string& name, const Services& services) {
  const Wire wire = WireOf(name);
  std::string_view base = name;
  if (wire == Wire::kHttp) base.remove_suffix(kHttpSuffix.size());
  TROTH_ASSIGN_OR_RETURN(Scenario scenario, ByName(base, wire, services));
  scenario.name = name;
  return scenario;
}

}  // namespace troth::bench
