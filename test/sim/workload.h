#pragma once
// What the clients of one seed will do: transfers of money between services, each as one
// transaction. The amounts of a transfer add up to zero.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "engine/event.h"
#include "engine/transaction.h"

namespace troth::sim {

struct BranchSpec {
  std::string branch_id;
  size_t service = 0;
  int64_t amount = 0;    // added to the service's balance when done
  bool refuses = false;  // its action or try is always refused
};

struct TransferSpec {
  std::string gid;
  TransType type = TransType::kMsg;
  Protocol protocol = Protocol::kHttp;
  TransOptions options;
  Duration start{};  // since the seed's start
  std::vector<BranchSpec> branches;
  bool saga_concurrent = false;
  std::vector<StepOrder> saga_orders;
  // msg: prepared first and checked back, with `local_amount` moved by the sender's own database.
  bool prepared = false;
  bool sender_commits = true;
  int64_t local_amount = 0;
  int64_t msg_delay = 0;  // seconds
};

struct Workload {
  std::vector<TransferSpec> transfers;
  size_t services = 0;
  std::map<std::string, size_t, std::less<>> by_gid;

  const TransferSpec& of(std::string_view gid) const { return transfers[by_gid.find(gid)->second]; }
};

Workload DrawWorkload(Random& random);

// The requests a client of `spec` sends.
Request PrepareRequest(const TransferSpec& spec);
Request SubmitRequest(const TransferSpec& spec);
Request AbortRequest(const TransferSpec& spec);
Request RegisterRequest(const TransferSpec& spec, size_t branch);
Request ForceStopRequest(const TransferSpec& spec);
Request PrepareWorkflowRequest(const TransferSpec& spec);
// Step `step` is done, or was refused.
Request WorkflowStepRequest(const TransferSpec& spec, size_t step, BranchOp op, bool done);
Request WorkflowEndRequest(const TransferSpec& spec, TransStatus status);

}  // namespace troth::sim
