#pragma once
// The files that MicroService.Target names: certificates, keys, tokens.

#include <string>
#include <string_view>

#include "base/status.h"
#include "discovery/registry_target.h"

namespace troth {

// The file's content. The error is one of the two texts with the path behind it.
StatusOr<std::string> ReadRegistryFile(const std::string& path,
                                       std::string_view not_found,
                                       std::string_view not_readable);

// Whether the TLS files are there and fit together; error texts as the Kratos driver's.
Status CheckRegistryFiles(const RegistryTarget& target);

}  // namespace troth
