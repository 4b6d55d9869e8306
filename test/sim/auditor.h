#pragma once
// Judges the history of a seed against what is promised. Stands outside: it sees what becomes
// durable, what clients are told, which calls leave and what services do, and shares no code with
// the engine.

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "context.h"
#include "engine/action.h"
#include "store/store.h"
#include "workload.h"

namespace troth::sim {

// One life of a server's process.
struct Incarnation {
  int server = 0;
  int life = 0;
  auto operator<=>(const Incarnation&) const = default;
};

class Services;

class Auditor {
 public:
  Auditor(Context& context, const Workload& workload) : context_(context), workload_(workload) {}

  // --- what happens

  // A server's process has begun, or ended: what older lives of it did comes late.
  void OnLife(const Incarnation& now) { lives_[now.server] = now.life; }

  // A save became durable.
  void OnStored(const Incarnation& by, const SaveRecord& save);
  // A server tells a client.
  void OnAnswer(const Request& request, const Reply& reply);
  // A client has asked for the rollback of its transaction.
  void OnAbortAsked(const std::string& gid) { history_[gid].abort_asked = true; }
  // An operator has asked to end it by force: it need not be whole any more.
  void OnForceStopAsked(const std::string& gid) { history_[gid].stop_asked = true; }
  // A claim came to a server, which alone may work on the transaction until `lease_until`.
  void OnClaimed(const Incarnation& by, const std::string& gid, TimePoint lease_until);
  // A server calls a service; its own clock says `by_its_clock`. `op` is the wire name.
  void OnCall(const Incarnation& by,
              TimePoint by_its_clock,
              const std::string& gid,
              const std::string& branch_id,
              const std::string& op);
  // A service did it, or had done it before.
  void OnDone(const std::string& gid, const std::string& branch_id, const std::string& op);
  // A service refused it, or had a reason not to.
  void OnRefused(const std::string& gid, const std::string& op);
  // A server says that the transaction has ended.
  void OnEnded(const Transaction& txn);

  // --- what came of it

  // Transactions that are stored and have not ended.
  std::vector<std::string> Unfinished() const;
  // Everything has ended: do the books agree with what is stored?
  void CheckBooks(Services& services);
  void Violation(std::string what);
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Operation {
    bool done = false;
    std::set<Incarnation> callers;
    std::deque<TimePoint> recent_calls;
  };
  struct History {
    uint64_t version = 0;  // 0: never stored
    TransStatus status = TransStatus::kPrepared;
    TimePoint first_stored{};
    Incarnation creator;
    bool acknowledged = false;
    bool abort_asked = false;
    bool stop_asked = false;
    bool refused = false;
    bool confirming = false;  // a call that makes it last has left
    bool undoing = false;     // a call that takes it back has left
    std::map<std::pair<std::string, std::string>, Operation> operations;  // branch, op
    std::map<Incarnation, TimePoint> leases;  // the last moment that each was ever given
  };

  void CheckEdge(const std::string& gid, const History& history, const SaveRecord& save);
  void CheckReasonToAbort(const std::string& gid, const History& history, TransStatus to);
  void CheckDecided(const std::string& gid, const History& history, std::string_view op);
  void CheckOrder(const std::string& gid,
                  History& history,
                  const std::string& branch_id,
                  std::string_view op);
  void CheckCompensationOrder(const TransferSpec& spec, History& history, size_t step);
  void CheckLease(const Incarnation& by,
                  TimePoint by_its_clock,
                  const std::string& gid,
                  const History& history);
  void CheckRate(const std::string& gid, const std::string& op, Operation& operation);
  void CheckSubmitAnswer(const Request& request, const Reply& reply);
  void CheckTransfer(const TransferSpec& spec, Services& services);
  void MarkEnd(const TransferSpec& spec, const History& history, TransStatus from, TransStatus to);

  Context& context_;
  const Workload& workload_;
  std::map<int, int> lives_;  // by server
  std::map<std::string, History> history_;
  std::vector<std::string> violations_;
};

}  // namespace troth::sim
