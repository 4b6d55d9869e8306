#pragma once
// The participants: services with a balance each, a barrier that makes repeated, empty and late
// operations harmless, and the sender's database that a message is checked back against.
//
// The barrier is written after the rules that participants of dtm follow, independently of the
// server: an operation counts once; an undo bars what it undoes, and does nothing where nothing was
// done.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "auditor.h"
#include "context.h"
#include "network.h"
#include "workload.h"

namespace troth::sim {

enum class ServiceAnswer : uint8_t { kDone, kRefused, kOngoing, kError, kUnreachable };

struct ServiceCall {
  std::string gid;
  std::string branch_id;
  std::string op;  // wire name, or "try": the first phase of a tcc or xa, called by its client
  size_t service = 0;
};

// What one branch has done to the balance of its service.
struct Entry {
  int64_t reserved = 0;  // times
  int64_t applied = 0;
};

class Services {
 public:
  using AnswerFn = std::function<void(ServiceAnswer)>;

  Services(Context& context,
           Network& network,
           Auditor& auditor,
           const Workload& workload,
           bool with_barrier);

  // Calls from `from` over the network; `answer` may come never, late or twice.
  void Call(Node from, ServiceCall call, AnswerFn answer);

  // What a service does when a server calls a workflow back.
  void OnWorkflowCalled(std::function<void(const std::string& gid)> run) {
    run_workflow_ = std::move(run);
  }

  // The sender's own part of a prepared message; false when a check-back has ruled it out.
  bool CommitLocally(const TransferSpec& spec);

  void Crash(size_t service, Duration down);
  void RestartAll();

  const Entry& entry(const std::string& gid, const std::string& branch_id);
  bool committed_locally(const std::string& gid) const { return local_.contains({gid, true}); }
  int64_t total() const;
  // What a transfer has added to it so far; 0 for one that is whole or not done at all.
  int64_t booked(const TransferSpec& spec);

 private:
  void Arrive(Node from, const ServiceCall& call, const AnswerFn& answer);
  ServiceAnswer Do(const ServiceCall& call);
  ServiceAnswer CheckBack(const ServiceCall& call);
  // Whether the operation is to take effect; records that it came.
  bool PassBarrier(const ServiceCall& call);
  void Apply(const ServiceCall& call);

  Context& context_;
  Network& network_;
  Auditor& auditor_;
  const Workload& workload_;
  const bool with_barrier_;
  std::function<void(const std::string& gid)> run_workflow_;
  std::vector<int64_t> balances_;
  std::vector<TimePoint> down_until_;
  std::set<std::tuple<std::string, std::string, std::string>> barrier_;  // gid, branch, op
  std::map<std::pair<std::string, std::string>, Entry> entries_;         // gid, branch
  std::set<std::pair<std::string, bool>> local_;  // gid; committed, or ruled out
};

}  // namespace troth::sim
