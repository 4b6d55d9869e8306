#pragma once
// Everything that can come into the engine.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/outcome.h"
#include "engine/transaction.h"

namespace troth {

// Names the caller that waits for a Reply; 0: nobody. Made by the runtime, opaque here.
using ReplyToken = uint64_t;

// Names a transaction inside one engine from its first event until the engine forgets it; never
// used again after. Cheaper than the gid on the hot path.
using TxnId = uint64_t;

enum class RequestKind : uint8_t {
  kPrepare,
  kSubmit,
  kAbort,
  kRegisterBranch,
  kPrepareWorkflow,
  kForceStop,
  kResetNextCronTime,
};

// A client's request, already decoded and checked at the edge (limits, UTF-8, JSON), with nothing
// filled in that depends on what is stored.
struct Request {
  RequestKind kind = RequestKind::kSubmit;
  ReplyToken token = 0;
  // kPrepare, kSubmit, kPrepareWorkflow: the transaction as it would be created: gid, type,
  // protocol, options, custom data, branches, payloads. The engine sets times, status, version.
  // kAbort, kRegisterBranch and the rest use gid, and type where the client gave it;
  // kRegisterBranch: branches and payloads are the new rows.
  Transaction draft{};
  bool type_given =
      true;  // false: the client sent no type (allowed in abort, forceStop, resetNextCronTime)
  std::string rollback_reason{};  // kAbort; kSubmit of a workflow
  // kSubmit of a workflow: what it ended with ("" when absent) and its result, base64 text.
  std::string workflow_status{};
  std::string workflow_result{};
};

// What became of a save. A save is named by the transaction and the version it writes.
enum class SaveResult : uint8_t {
  kStored,    // survives power loss
  kConflict,  // not stored: the record is not at the expected version (for a creation: the gid
              // exists)
  kUnknown,   // may be stored or not; a load tells
  kRefused,   // not stored, and it never will be as it is: the store cannot hold it
};
struct SaveDone {
  TxnId id = 0;
  uint64_t version = 0;
  SaveResult result = SaveResult::kStored;
  std::string error{};  // kUnknown, kRefused: what the store said
};

enum class LoadStatus : uint8_t { kFound, kMissing, kFailed };
struct LoadDone {
  TxnId id = 0;
  LoadStatus status = LoadStatus::kMissing;
  std::unique_ptr<Transaction> txn{};  // kFound
  std::string error{};                 // kFailed
};

// The store handed this due transaction to this server, and to nobody else before `lease_until`.
struct Claimed {
  std::unique_ptr<Transaction> txn{};
  TimePoint lease_until{};
  uint64_t forgotten = 0;  // Engine::forgotten() before the store was asked
};

struct CallDone {
  TxnId id = 0;
  uint32_t call = 0;  // as in action Call
  CallResult result{};
};

// Nothing happened but time: the engine looks at its deadlines.
struct Tick {};

// The process ends soon: no call that is open will be heard of. Everything is handed to whoever
// asks the store next.
struct HandBack {};

// A request is ten times the size of the rest and changes hands more often than it is read.
using RequestPtr = std::unique_ptr<Request>;

using Event = std::variant<RequestPtr, SaveDone, LoadDone, Claimed, CallDone, Tick, HandBack>;

}  // namespace troth
