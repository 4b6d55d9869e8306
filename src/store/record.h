#pragma once
// The versioned bytes of a transaction, the same in every backend that keeps bytes: a fixed part,
// pages of branches and payloads in the order they were added, and a small state that is rewritten
// by every save. Decoding trusts nothing: any bytes give a transaction or an error.

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/action.h"
#include "engine/transaction.h"
#include "store/store.h"

namespace troth {

// Bytes for what the engine asks to save.
SaveRecord EncodeSave(const Save& save);

// DataLoss with what is wrong when the bytes are damaged or of a newer format.
StatusOr<std::unique_ptr<Transaction>> DecodeTransaction(const StoredRecord& record);

}  // namespace troth
