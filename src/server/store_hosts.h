#pragma once
// Whether there is what Store.Host names.

#include <string_view>

#include "base/status.h"

namespace troth {

// `hosts`: one host or several, by commas, each with a port or without. FailedPrecondition when
// none of them is known by name: a typing error, or a service that does not exist. A name server
// that does not answer is no such error. Blocks on name servers.
Status CheckHostsAreKnown(std::string_view hosts);

}  // namespace troth
