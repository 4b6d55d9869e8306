#pragma once
// Transactions, branches and answers as dtm's HTTP API writes them (protocol/server.md 2.1, 2.7):
// key order and what is left out when empty are part of the contract.

#include <chrono>
#include <string>

#include "engine/transaction.h"
#include "store/store.h"
#include "wire/json_writer.h"

namespace troth {

using UtcOffset = std::chrono::minutes;

void WriteTransaction(JsonWriter& json, const Transaction& txn, UtcOffset offset);
void WriteBranches(JsonWriter& json, const Transaction& txn, UtcOffset offset);
void WriteKv(JsonWriter& json, const KvRecord& kv, UtcOffset offset);

// {"branches":[...],"transaction":{...}}; the transaction is null when `txn` is.
std::string QueryJson(const Transaction* txn, UtcOffset offset);
// The same with "attempts" before them: the last calls that were no success, oldest first.
std::string LookJson(const Transaction& txn, UtcOffset offset);
// {"progresses":[...],"transaction":{...}}
std::string ProgressesJson(const Transaction& txn, UtcOffset offset);

}  // namespace troth
