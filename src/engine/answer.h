#pragma once
// What a client is told, in dtm's words (its misspellings too: clients match them).
// protocol/server.md 2.4 - 2.6, 4.3, 6.7.

#include <optional>
#include <string>
#include <string_view>

#include "engine/action.h"
#include "engine/outcome.h"
#include "engine/transaction.h"

namespace troth {

struct Answer {
  ReplyCode code = ReplyCode::kOk;
  std::string message{};
  int grpc_code = 2;      // kError only
  bool with_txn = false;  // the reply carries what is stored (kPrepareWorkflow)
  bool wait = false;      // the client waits for what the pass brings (wait_result)
};

Answer Failure(std::string message);
Answer Error(std::string message);
Answer InternalError(std::string message);
Answer Overloaded(std::string message);
Answer Stopping(std::string_view gid);

// Who waits for the end of a pass.
struct Waiter {
  ReplyToken token = 0;
  bool aborts = false;  // it asked for the rollback, which is a success to it then
};

// What a waiting client is told when its pass is over. `problem`: the first result of the pass that
// was not a success. `strict`: a saga or msg that goes on is ongoing; dtm calls it a failure, as it
// does one that has been rolled back.
Answer WaitAnswer(const Transaction& txn,
                  const std::optional<CallResult>& problem,
                  const Waiter& waiter,
                  bool strict);

// dtm's text around what a branch answered that was neither success nor refusal.
std::string UnknownResultText(std::string_view text);

// Cuts `text` to at most `bytes_max` bytes, between two UTF-8 characters.
void CutText(std::string& text, size_t bytes_max);

}  // namespace troth
