#pragma once
// dtm's rows as the JSON that Redis holds (protocol/stores.md 2.1 to 2.3 and 3.1): its key order,
// its empty keys left out, plain integers, RFC 3339 times. troth_state has no place in it, because
// dtm drops keys it does not know when it rewrites a record.

#include <string>
#include <string_view>

#include "base/status.h"
#include "store/dtm/rows.h"
#include "store/store.h"

namespace troth::dtm {

std::string GlobalJson(const GlobalRow& row);
std::string BranchJson(std::string_view gid, const BranchRow& row);
std::string KvJson(const KvRecord& record);

// The inverses. Keys in any case, unknown ones ignored, null is nothing. InvalidArgument says what
// is wrong with the text.
StatusOr<GlobalRow> ParseGlobalJson(std::string_view text);
StatusOr<BranchRow> ParseBranchJson(std::string_view text);
StatusOr<KvRecord> ParseKvJson(std::string_view text);

}  // namespace troth::dtm
