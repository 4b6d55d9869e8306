#pragma once
// A submit may bring options that the prepare did not.

#include "engine/transaction.h"

namespace troth {

// Takes over into `txn` what the submit's draft sets; what it leaves open stays as prepared. Rows
// and protocol stay. Returns whether anything changed.
bool MergeSubmit(const Transaction& draft, Transaction& txn);

}  // namespace troth
