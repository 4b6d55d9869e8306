#pragma once
// The JSON inside custom_data: {"delay":s} of a msg, {"concurrent":b,"orders":{"i":[j]}} of a saga,
// {"name":s,"data":base64} of a workflow (protocol/stores.md 3.3). Checked at entry, so that no
// transaction is stored that can never run.

#include "base/status.h"
#include "engine/transaction.h"

namespace troth {

// Fills the parsed fields of `txn` from txn.custom_data; a workflow's input becomes a payload. The
// branches must be there. InvalidArgument says what is wrong with the text.
Status ApplyCustomData(Transaction& txn);

}  // namespace troth
