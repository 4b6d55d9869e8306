// The last look: once everything has ended, do the services' books agree with what is stored?

#include "auditor.h"
#include "base/text.h"
#include "services.h"

namespace troth::sim {

void Auditor::CheckBooks(Services& services) {
  int64_t stopped_halfway = 0;
  for (const TransferSpec& spec : workload_.transfers) {
    if (history_[spec.gid].stop_asked) {
      stopped_halfway += services.booked(spec);
    } else {
      CheckTransfer(spec, services);
    }
  }
  if (services.total() != stopped_halfway) {
    Violation(Cat("money is not conserved: ", services.total() - stopped_halfway));
  }
}

// All of a transfer or nothing of it.
void Auditor::CheckTransfer(const TransferSpec& spec, Services& services) {
  const History& history = history_[spec.gid];
  if (history.acknowledged && history.version == 0) {
    Violation(Cat(spec.gid, " was acknowledged and is lost"));
  }
  const bool succeeded = history.version > 0 && history.status == TransStatus::kSucceeded;
  const int64_t expected = succeeded ? 1 : 0;
  for (const BranchSpec& branch : spec.branches) {
    const Entry& entry = services.entry(spec.gid, branch.branch_id);
    if (entry.applied != expected || entry.reserved != 0) {
      Violation(Cat(spec.gid,
                    "/",
                    branch.branch_id,
                    " of a transfer that ",
                    succeeded ? "succeeded" : "did not succeed",
                    ": applied ",
                    entry.applied,
                    " times, reserved ",
                    entry.reserved,
                    " times"));
    }
  }
  if (spec.prepared && services.committed_locally(spec.gid) != succeeded) {
    Violation(Cat(spec.gid, ": the message and its sender's own commit disagree"));
  }
}

}  // namespace troth::sim
