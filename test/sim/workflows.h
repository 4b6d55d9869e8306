#pragma once
// Workflows: a client runs the steps itself, tells the server what came of each, and at last how it
// ended. A run that breaks off is begun again by the server's callback, and goes on from what is
// recorded; several runs of one workflow may be under way at once.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "context.h"
#include "engine/action.h"
#include "services.h"
#include "workload.h"

namespace troth::sim {

// What came of a request of a client; `known` is false when no answer came, however often it was
// asked.
struct Told {
  bool known = false;
  ReplyCode code = ReplyCode::kOk;
  std::string message{};
  std::shared_ptr<const Transaction> txn = nullptr;  // kPrepareWorkflow: what is recorded
  bool ok() const { return known && code == ReplyCode::kOk; }
};
using ToldFn = std::function<void(const Told&)>;
using AskFn = std::function<void(Request request, ToldFn then)>;

class Workflows {
 public:
  Workflows(Context& context, Services& services, AskFn ask)
      : context_(context), services_(services), ask_(std::move(ask)) {}

  // One run, from wherever it stands.
  void Run(const TransferSpec& spec);

 private:
  struct State;  // of a run

  // The first step that is not recorded yet, and so on.
  void Forward(const std::shared_ptr<State>& run, size_t step);
  // Undoes the step and those before it.
  void Backward(const std::shared_ptr<State>& run, size_t step);
  // Calls the step's service, records what came of it and tells; a run that learns nothing breaks
  // off.
  void Do(const std::shared_ptr<State>& run,
          size_t step,
          BranchOp op,
          std::function<void(bool done)> then);
  void Record(const std::shared_ptr<State>& run,
              size_t step,
              BranchOp op,
              bool done,
              std::function<void(bool done)> then);
  void End(const State& run, TransStatus status);

  Context& context_;
  Services& services_;
  const AskFn ask_;
};

}  // namespace troth::sim
