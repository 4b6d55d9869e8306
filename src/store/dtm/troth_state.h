#pragma once
// What dtm keeps nowhere, as JSON for a column of ours: how many tries a saga has used, and the
// last calls that were no success.

#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/transaction.h"

namespace troth::dtm {

// "" when there is nothing that the other columns do not tell.
std::string TrothStateJson(const Transaction& txn);

// Fills retry_count and attempts; `text` "" leaves them as they are. Attempts at rows that `txn`
// does not have are left out. InvalidArgument says what is wrong with the text.
Status ReadTrothState(std::string_view text, Transaction& txn);

}  // namespace troth::dtm
