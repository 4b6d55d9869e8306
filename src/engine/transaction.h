#pragma once
// A global transaction and its branches: what the engine works on and what a store keeps.
// Plain values; no I/O. Wire spellings are in WireName and its inverses only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/attempt.h"

namespace troth {

enum class TransType : uint8_t { kMsg, kSaga, kTcc, kXa, kWorkflow };
inline constexpr size_t kTransTypes = 5;
enum class TransStatus : uint8_t { kPrepared, kSubmitted, kAborting, kSucceeded, kFailed };
enum class BranchStatus : uint8_t { kPrepared, kSucceeded, kFailed };
// How branches are called unless their URL says otherwise (protocol/server.md 5.1).
enum class Protocol : uint8_t { kHttp, kGrpc, kJsonRpc };

inline constexpr size_t kBranchOps = 9;
enum class BranchOp : uint8_t {
  kAction,
  kCompensate,
  kConfirm,
  kCancel,
  kCommit,
  kRollback,
  kBusiness,  // workflow: a local XA step
  kMsg,       // not stored: the check-back of a prepared message
  kWorkflow,  // not stored: the callback that runs a workflow again
};

std::string_view WireName(TransType type);  // "msg" "saga" "tcc" "xa" "workflow"
std::string_view WireName(
    TransStatus status);  // "prepared" "submitted" "aborting" "succeed" "failed"
std::string_view WireName(BranchStatus status);  // "prepared" "succeed" "failed"
std::string_view WireName(Protocol protocol);    // "http" "grpc" "json-rpc"
std::string_view WireName(BranchOp op);          // "action" ...; kMsg "msg"; kWorkflow "workflow"
std::optional<TransType> ParseTransType(std::string_view name);
std::optional<TransStatus> ParseTransStatus(std::string_view name);
std::optional<BranchStatus> ParseBranchStatus(std::string_view name);
std::optional<Protocol> ParseProtocol(std::string_view name);  // "" is http
std::optional<BranchOp> ParseBranchOp(std::string_view name);  // stored ops only

inline bool IsFinal(TransStatus status) {
  return status == TransStatus::kSucceeded || status == TransStatus::kFailed;
}
// Whether a transaction may go from one status to the other (protocol/stores.md section 4). Staying
// is no move, except that an abort may repeat.
bool MayFollow(TransStatus from, TransStatus to);

using StringPairs = std::vector<std::pair<std::string, std::string>>;

// What the client may set for one transaction. Zero means: the server's default.
struct TransOptions {
  bool wait_result = false;
  bool concurrent = false;      // msg only; a saga says it in custom_data
  int64_t timeout_to_fail = 0;  // seconds
  int64_t request_timeout = 0;  // seconds
  int64_t retry_interval = 0;   // seconds
  int64_t retry_limit =
      0;  // saga: immediate further tries of an action, over the whole transaction
  int64_t retry_count = 0;       // saga: the counter's start
  StringPairs branch_headers{};  // sent with every branch call, sorted by key

  bool operator==(const TransOptions&) const = default;
};

inline constexpr uint32_t kNoPayload = UINT32_MAX;

// One stored operation of a branch: (gid, branch_id, op) is its identity.
struct Branch {
  std::string branch_id{};  // "01", "02-01", or as the client chose
  BranchOp op = BranchOp::kAction;
  BranchStatus status = BranchStatus::kPrepared;
  std::string url{};  // empty: succeeds without a call
  uint32_t payload =
      kNoPayload;  // index into Transaction::payloads; shared by action and compensate
  TimePoint create_time{};
  TimePoint update_time{};
  std::optional<TimePoint> finish_time{};  // set on succeeded and on failed

  bool operator==(const Branch&) const = default;
};

// saga: which steps must have succeeded before a step starts (indices of steps, from 0).
struct StepOrder {
  uint32_t step = 0;
  std::vector<uint32_t> after{};
  bool operator==(const StepOrder&) const = default;
};

struct Transaction {
  // --- set at creation (a submit of a prepared transaction may still merge options and
  // custom_data)
  std::string gid{};
  TransType type = TransType::kMsg;
  Protocol protocol = Protocol::kHttp;
  TransOptions options;
  std::string query_prepared{};  // msg: check-back URL; workflow: callback URL
  std::string custom_data{};     // the client's JSON text, as it came
  std::string ext_data{};        // old records only: {"headers":{...}}
  StringPairs ext_headers{};     // parsed ext_data, sent before branch_headers
  // What custom_data says, parsed at the edge:
  bool saga_concurrent = false;
  std::vector<StepOrder> saga_orders{};
  int64_t msg_delay = 0;                 // seconds after create_time before the first branch call
  std::string workflow_name{};           // op of the callback
  uint32_t workflow_input = kNoPayload;  // payload index of the callback's body
  TimePoint create_time{};

  // --- only ever appended to; positions are identities
  std::vector<Branch> branches{};
  std::vector<std::string> payloads{};

  // --- changes as the transaction goes on
  TransStatus status = TransStatus::kPrepared;
  uint64_t version = 0;  // of the newest save asked for; 0: never saved
  uint32_t pages =
      0;  // how many times branches were appended, the creation included (see store/record.h)
  TimePoint update_time{};
  std::optional<TimePoint> finish_time{};    // succeeded
  std::optional<TimePoint> rollback_time{};  // failed
  std::string result{};                      // workflow: base64 text
  std::string rollback_reason{};
  int64_t retry_count = 0;         // saga: immediate tries used
  int64_t next_cron_interval = 0;  // seconds; doubles on errors up to a cap
  TimePoint next_cron_time{};      // when it is due again
  // True while a server is working on it: next_cron_time is then a lease, and after a crash of an
  // exclusive store's only server the transaction is due at once.
  bool leased = false;
  std::string owner{};              // shared stores: token of the last claim
  std::vector<Attempt> attempts{};  // the last calls that were no success, oldest first

  std::string_view payload(const Branch& branch) const {
    return branch.payload == kNoPayload ? std::string_view() : payloads[branch.payload];
  }
  bool operator==(const Transaction&) const = default;
};

// Position of the operation, or nothing.
std::optional<size_t> FindBranch(const Transaction& txn, std::string_view branch_id, BranchOp op);

// Whether it is parked only until another try: not for a decision, a timeout or a delay, so that a
// try before its time does no harm.
bool WaitsForRetry(const Transaction& txn);

// Sets the status and what goes with it: update_time, finish_time (succeeded), rollback_time
// (failed). The move must be allowed.
void ChangeStatus(Transaction& txn, TransStatus to, TimePoint now);

// Sets a row's status with its finish_time and update_time.
void ChangeStatus(Branch& branch, BranchStatus to, TimePoint now);

}  // namespace troth
