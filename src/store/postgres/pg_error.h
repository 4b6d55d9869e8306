#pragma once
// What PostgreSQL's error codes (SQLSTATE) mean to us. The code of a status says what to do:
//
//   kAborted             a deadlock or a lost race of transactions: nothing was done, try again
//   kAlreadyExists       a unique key exists: nothing was done
//   kNotFound            a row is not as the statement expects: nothing was done
//   kOutOfRange          a value is too long for its column, or no text of any language
//   kFailedPrecondition  the schema or the account's rights are wrong, the server is read-only, or
//                        the database lacks what a statement asks for: an operator must act
//   kResourceExhausted   no connection or no disk space left: later
//   kUnavailable         the connection is lost, or the server goes: what was sent last may have
//                        been done or not
//   kDeadlineExceeded    no answer in time: likewise
//   kInternal            anything else: nothing was done, a bug here or there
//
// Private to this folder.

#include <string_view>

#include "base/status.h"

namespace troth::postgres {

// `sqlstate` is what the server sent, five characters; `text` is its message.
Status ErrorOf(std::string_view sqlstate, std::string_view text);

// Whether a statement failed, nothing done, because columns have changed since it was prepared on
// its connection: prepared anew it runs. Databases give this the SQLSTATE of what they do not
// support at all. PostgreSQL's text may be in any language, but `function`, where in its source the
// error was raised, is always the same; CockroachDB has functions of its own and one language.
bool IsStalePlan(std::string_view sqlstate, std::string_view text, std::string_view function);

// Of a connection that failed: whether libpq's text has words of the server, which it sets apart in
// a way of its own.
bool IsServersText(std::string_view text);
// The error in such a text that was asked for with PQERRORS_VERBOSE.
Status ErrorOfVerboseText(std::string_view text);

// Whether nothing of what was sent can have been done.
bool SurelyNotDone(const Status& status);

}  // namespace troth::postgres
