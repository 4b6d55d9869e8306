#pragma once
// Errors as values. absl::Status and absl::StatusOr carry failures of the edge (a store, a socket,
// a file, bad input); answers of a business service are enums of their own (engine/outcome.h).
//
// Debian builds Abseil with its own string_view type, so text crosses into Abseil as std::string:
// use the functions here, not absl's makers, and Message() to read a status.

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troth {

using absl::Status;
using absl::StatusCode;
using absl::StatusOr;

inline Status OkStatus() { return {}; }

// Makes a status. `message` says what was tried, on what, why it failed and what to do about it.
inline Status MakeStatus(StatusCode code, std::string_view message) {
  return Status(code, absl::string_view(message.data(), message.size()));
}
inline Status InvalidArgument(std::string_view message) {
  return MakeStatus(StatusCode::kInvalidArgument, message);
}
inline Status NotFound(std::string_view message) {
  return MakeStatus(StatusCode::kNotFound, message);
}
inline Status AlreadyExists(std::string_view message) {
  return MakeStatus(StatusCode::kAlreadyExists, message);
}
inline Status FailedPrecondition(std::string_view message) {
  return MakeStatus(StatusCode::kFailedPrecondition, message);
}
inline Status Aborted(std::string_view message) {
  return MakeStatus(StatusCode::kAborted, message);
}
inline Status ResourceExhausted(std::string_view message) {
  return MakeStatus(StatusCode::kResourceExhausted, message);
}
inline Status Unavailable(std::string_view message) {
  return MakeStatus(StatusCode::kUnavailable, message);
}
inline Status DeadlineExceeded(std::string_view message) {
  return MakeStatus(StatusCode::kDeadlineExceeded, message);
}
inline Status Cancelled(std::string_view message) {
  return MakeStatus(StatusCode::kCancelled, message);
}
inline Status Unimplemented(std::string_view message) {
  return MakeStatus(StatusCode::kUnimplemented, message);
}
inline Status DataLoss(std::string_view message) {
  return MakeStatus(StatusCode::kDataLoss, message);
}
inline Status Internal(std::string_view message) {
  return MakeStatus(StatusCode::kInternal, message);
}

// The text of a status; valid as long as `status` lives.
inline std::string_view Message(const Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace troth

// Returns from the enclosing function when `expr` (a Status) is not OK.
#define TROTH_RETURN_IF_ERROR(expr)                                                        \
  do {                                                                                     \
    if (::troth::Status troth_status_ = (expr); !troth_status_.ok()) return troth_status_; \
  } while (false)

#define TROTH_CONCAT_INNER_(a, b) a##b
#define TROTH_CONCAT_(a, b) TROTH_CONCAT_INNER_(a, b)

// TROTH_ASSIGN_OR_RETURN(auto x, MakeX()): declares x or returns the error.
#define TROTH_ASSIGN_OR_RETURN(lhs, expr) \
  TROTH_ASSIGN_OR_RETURN_IMPL_(TROTH_CONCAT_(troth_or_, __LINE__), lhs, expr)
#define TROTH_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return tmp.status();                \
  lhs = std::move(tmp).value()
