#pragma once
// Moves everything from one store to another, of any kinds, and looks whether it arrived.

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "engine/transaction.h"
#include "store/store.h"

namespace troth {

struct CopyCounts {
  uint64_t transactions = 0;
  uint64_t present = 0;  // of them were there already, the same
  uint64_t named_values = 0;
};

// What is different between two copies of a transaction, or "" when nothing matters: stores keep
// times in seconds or exactly, and know differently who works on it.
std::string Difference(const Transaction& a, const Transaction& b);

// Copies all transactions, oldest first, and all named values, in batches, then reads both stores
// and compares. Nobody else may use `from` meanwhile. `progress` is called now and then with the
// number of transactions copied.
//
// A transaction that is in `to` already must be the same; so a copy that was interrupted can be
// repeated. Errors name the transaction and say what to do; what was copied before stays.
StatusOr<CopyCounts> CopyStore(Store& from,
                               Store& to,
                               const std::function<void(uint64_t)>& progress);

// Whether the store has no transaction and no named value.
StatusOr<bool> IsEmptyStore(Store& store);

}  // namespace troth
