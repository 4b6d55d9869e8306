#include "engine/answer.h"

#include <cstdlib>

#include "base/text.h"

namespace troth {
namespace {

constexpr std::string_view kFailureSuffix = " FAILURE";

Answer NoSuccess() { return Failure("wait result not return success: FAILURE"); }

Answer Ongoing() { return {.code = ReplyCode::kOngoing, .message = "ONGOING"}; }

Answer RollbackAnswer(const Transaction& txn) {
  std::string text = txn.rollback_reason;
  if (!text.ends_with(kFailureSuffix)) text += kFailureSuffix;
  return Failure(std::move(text));
}

Answer SagaAnswer(const Transaction& txn, bool strict) {
  const bool rolls_back =
      txn.status == TransStatus::kAborting || txn.status == TransStatus::kFailed;
  if (rolls_back && !txn.rollback_reason.empty()) return RollbackAnswer(txn);
  return strict && !rolls_back ? Ongoing() : NoSuccess();
}

Answer ProblemAnswer(const CallResult& problem) {
  if (problem.outcome == BranchOutcome::kFailed) return Failure(UnknownResultText(problem.text));
  Answer answer = Error(UnknownResultText(problem.text));
  answer.grpc_code = problem.grpc_code;
  return answer;
}

bool IsOngoing(const std::optional<CallResult>& problem) {
  return !problem || problem->outcome == BranchOutcome::kOngoing;
}

}  // namespace

Answer Failure(std::string message) {
  return {.code = ReplyCode::kFailure, .message = std::move(message)};
}

Answer Error(std::string message) {
  return {.code = ReplyCode::kError, .message = std::move(message)};
}

Answer InternalError(std::string message) {
  return {.code = ReplyCode::kInternal, .message = std::move(message)};
}

Answer Overloaded(std::string message) {
  return {.code = ReplyCode::kOverloaded, .message = std::move(message)};
}

Answer Stopping(std::string_view gid) {
  return {.code = ReplyCode::kUnavailable,
          .message = Cat("the server stops; gid: ",
                         gid,
                         " is stored and goes on with the next one: query it or submit it again")};
}

Answer WaitAnswer(const Transaction& txn,
                  const std::optional<CallResult>& problem,
                  const Waiter& waiter,
                  bool strict) {
  if (txn.status == TransStatus::kSucceeded) return {};
  if (txn.status == TransStatus::kFailed && waiter.aborts) return {};
  switch (txn.type) {
    case TransType::kSaga: return SagaAnswer(txn, strict);
    case TransType::kMsg:
    case TransType::kWorkflow:
      if (IsFinal(txn.status)) return NoSuccess();
      if (IsOngoing(problem)) return strict ? Ongoing() : NoSuccess();
      return ProblemAnswer(*problem);
    case TransType::kTcc:
    case TransType::kXa:
      if (IsFinal(txn.status)) return NoSuccess();
      if (IsOngoing(problem)) return Ongoing();
      return ProblemAnswer(*problem);
  }
  std::abort();
}

std::string UnknownResultText(std::string_view text) {
  return Cat(
      "your http/grpc result should be specified as in:\n"
      "http://d.dtm.pub/practice/arch.html#proto\n"
      "unkown result will be retried: ",
      text);
}

void CutText(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
}

}  // namespace troth
