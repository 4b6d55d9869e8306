#pragma once
// Everything the engine can ask for. Pointers and views are valid until the next Step of the same
// engine: whoever carries an action out takes what it needs at once. Actions of one Step do not
// depend on each other.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/event.h"
#include "engine/transaction.h"

namespace troth {

// Make this state durable if the record is still at `expected_version` (0: must not exist); then
// SaveDone{id, version}. At most one save of a transaction is open at a time.
struct Save {
  TxnId id = 0;
  const Transaction* txn = nullptr;  // txn->version is the version to write
  uint64_t expected_version = 0;
  // How it stands in the store, as far as is known (not of a creation).
  TransStatus expected_status = TransStatus::kPrepared;
  bool expected_leased = false;
  size_t branches_from =
      0;  // branches before it are in the store already (their status may have changed)
  size_t payloads_from = 0;  // likewise
  // Rows before branches_from whose status has changed since the last save, each once; they were
  // prepared before. Rows never change twice.
  std::span<const uint32_t> rows_changed{};
  uint32_t page_number =
      0;  // of the page that holds the new branches and payloads, if there are any
  bool fixed_part_changed = false;  // options or custom_data were merged, or this is the creation
};

// Read the record; then LoadDone{id}.
struct Load {
  TxnId id = 0;
  std::string gid{};
};

// Call a branch; then CallDone{id, call}, exactly once, also after the timeout.
struct Call {
  TxnId id = 0;
  uint32_t call = 0;
  const Transaction* txn = nullptr;
  std::string_view branch_id{};  // "00" for check-back and workflow callback
  BranchOp op = BranchOp::kAction;
  std::string_view url{};
  std::string_view payload{};
  Duration timeout{};
};

enum class ReplyCode : uint8_t {
  kOk,
  kFailure,      // HTTP 409, gRPC ABORTED, JSON-RPC -32901
  kOngoing,      // HTTP 425, gRPC FAILED_PRECONDITION
  kError,        // HTTP 500, gRPC `grpc_code`: an error the API returns
  kInternal,     // HTTP 500, gRPC INTERNAL: where dtm panics (unknown gid, store failure)
  kOverloaded,   // HTTP 429, gRPC RESOURCE_EXHAUSTED: try again later, nothing was done
  kUnavailable,  // HTTP 503, gRPC UNAVAILABLE: the server stops, the transaction goes on later
};
struct Reply {
  ReplyToken token = 0;
  ReplyCode code = ReplyCode::kOk;
  std::string message{};
  int grpc_code = 2;                 // kError only
  const Transaction* txn = nullptr;  // kPrepareWorkflow: what is stored
};

// A branch's call ended in kUnknown once more: tell who watches (AlertWebHook).
struct Alert {
  const Transaction* txn = nullptr;
  std::string_view url{};
  std::string error{};
  int64_t retry_count = 0;
};

// One line for the log and the metrics: a transaction reached its end, durably.
struct Ended {
  const Transaction* txn = nullptr;
};

using Action = std::variant<Save, Load, Call, Reply, Alert, Ended>;
using Actions = std::vector<Action>;

}  // namespace troth
