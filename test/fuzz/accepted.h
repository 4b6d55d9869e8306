#pragma once
// What every API promises of a request it accepts.

#include "engine/event.h"
#include "engine/limits.h"

namespace troth::fuzz {

// Stops the process unless the transaction can be stored and read back as it is, keeps the limits,
// and refers to nothing that is not there.
void CheckAccepted(const Request& request, const Limits& limits);

}  // namespace troth::fuzz
