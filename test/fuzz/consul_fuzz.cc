// Consul's answer about a service's healthy instances.

#include "discovery/consul_service.h"
#include "targets.h"

namespace troth::fuzz {

void FuzzConsul(std::string_view bytes) {
  const auto instances = DecodeConsulHealth(bytes);
  if (!instances.ok()) return;
  for (const ServiceInstance& instance : *instances) {
    static_cast<void>(EncodeConsulService(instance));
  }
}

}  // namespace troth::fuzz
