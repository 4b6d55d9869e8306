#pragma once
// The options of a transaction as JSON text: dtm's options column (protocol/stores.md 3.2).

#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/transaction.h"

namespace troth {

// What the client set, in dtm's key order; what is not set is left out, except `concurrent`.
std::string OptionsJson(const TransOptions& options);

// The inverse. "" is no options, unknown keys are ignored (older versions wrote others).
// InvalidArgument says what is wrong with the text.
StatusOr<TransOptions> ParseOptionsJson(std::string_view text);

}  // namespace troth
