#pragma once
// DNS as a registry that can only be read: every address of a name is an instance, so that a
// headless service of Kubernetes is balanced and followed. Looks names up on threads of its own,
// and its end waits for them, for some seconds when a name server is slow.

#include <memory>

#include "discovery/dns_lookup.h"
#include "discovery/dns_times.h"
#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

// A service's name there is a comma list of host:port.
std::unique_ptr<Registry> MakeDnsRegistry(net::Loop& loop,
                                          const DnsTimes& times,
                                          DnsSource source = {});

}  // namespace troth
