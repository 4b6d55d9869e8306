#pragma once
// A save as the scripts that carry it out are told of it (save_scripts.h), written at once when the
// engine asks for it: straight from the transaction, into one text that is sent as it is.
//
// Pure; any thread.

#include <string_view>

#include "engine/action.h"
#include "store/store.h"

namespace troth::redis {

// Bytes of the arguments of a call that carries out many saves, and branches of each: nothing else
// runs in Redis meanwhile. A save that is larger goes alone.
inline constexpr size_t kGroupBytes = 1 << 20;
inline constexpr size_t kGroupedBranches = 500;

// Store::Encode for Redis. `token` names the open store (dtm/owner.h).
SaveRecord EncodeArguments(const Save& save, std::string_view token);

}  // namespace troth::redis
