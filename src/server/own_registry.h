#pragma once
// The registry that the configuration names.

#include "base/status.h"
#include "config/config.h"
#include "discovery/registry_target.h"

namespace troth {

// kDirect, which is none, without a Target. The default driver ignores the Target, as dtm's does.
// Error: an unknown driver, a bad target.
StatusOr<RegistryTarget> OwnRegistry(const MicroServiceConfig& config);

}  // namespace troth
