#pragma once
// What MySQL's and MariaDB's error numbers mean to us. The code of a status says what to do:
//
//   kAborted             a deadlock or a wait for a lock that took too long: nothing was done once
//                        the transaction is rolled back; try again
//   kAlreadyExists       a unique key exists
//   kOutOfRange          a value is too long or too odd for its column
//   kFailedPrecondition  tables, rights or a read-only server: an operator must act
//   kResourceExhausted   no connection or no disk space left: later
//   kUnavailable         the connection is lost, or the server goes: what was sent last may have
//                        been done or not
//   kInternal            anything else, a bug here or there
//
// Private to this folder.

#include <string_view>

#include "base/status.h"

namespace troth::mysql {

// `number` is the server's (1000 ...) or the client library's (2000 ...); `text` its message.
Status ErrorOf(unsigned number, std::string_view text);

}  // namespace troth::mysql
