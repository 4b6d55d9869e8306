#pragma once
// The clients: each drives one transfer as an application would, asks again when it hears nothing,
// sometimes another server, and sometimes vanishes in the middle.

#include <functional>
#include <memory>
#include <vector>

#include "auditor.h"
#include "context.h"
#include "network.h"
#include "services.h"
#include "sim_server.h"
#include "workflows.h"
#include "workload.h"

namespace troth::sim {

class Clients {
 public:
  Clients(Context& context,
          Network& network,
          Auditor& auditor,
          Services& services,
          const Workload& workload,
          std::vector<std::unique_ptr<SimServer>>& servers);

  // Plans the start of every transfer.
  void Start();
  // An operator ends a transfer by force, whatever state it is in.
  void ForceStop(const TransferSpec& spec);

 private:
  struct Question;

  void Run(const TransferSpec& spec);
  void Submit(const TransferSpec& spec);
  void Abort(const TransferSpec& spec);
  void RunPreparedMessage(const TransferSpec& spec);
  // The first phase of a tcc or xa, from `branch` on.
  void TryBranches(const TransferSpec& spec, size_t branch);
  void TryBranch(const TransferSpec& spec, size_t branch);

  // Sends the request until an answer says what became of it; `then` is not run when the client
  // vanishes.
  void Ask(Request request, ToldFn then);
  void SendOnce(const std::shared_ptr<Question>& question);
  void OnReply(const std::shared_ptr<Question>& question, int attempt, const ClientReply& reply);
  void AskAgain(const std::shared_ptr<Question>& question, int attempt);

  Context& context_;
  Network& network_;
  Auditor& auditor_;
  Services& services_;
  const Workload& workload_;
  std::vector<std::unique_ptr<SimServer>>& servers_;
  Workflows workflows_;
};

}  // namespace troth::sim
