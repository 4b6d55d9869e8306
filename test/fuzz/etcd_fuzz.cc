// Answers of etcd, and the instances of services that lie in it.

#include "base/check.h"
#include "discovery/etcd_answers.h"
#include "discovery/instance_json.h"
#include "input.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

// What was read is written so that it reads the same.
void CheckInstance(std::string_view json) {
  const StatusOr<ServiceInstance> instance = DecodeInstance(json);
  if (!instance.ok()) return;
  const std::string written = EncodeInstance(*instance);
  const StatusOr<ServiceInstance> again = DecodeInstance(written);
  TROTH_CHECK(again.ok() && EncodeInstance(*again) == written);
}

}  // namespace

void FuzzEtcd(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const std::string answer(input.rest());
  switch (choice % 6) {
    case 0: return CheckInstance(answer);
    case 1:
      if (const auto range = ReadEtcdRange(answer); range.ok()) {
        for (const EtcdEntry& entry : range->entries) CheckInstance(entry.value);
      }
      return;
    case 2:
      if (const auto events = ReadEtcdEvents(answer); events.ok()) {
        for (const EtcdEvent& event : *events) CheckInstance(event.entry.value);
      }
      return;
    case 3:
      if (const auto ttl = ReadEtcdTtl(answer); ttl.ok()) {
        TROTH_CHECK(*ttl >= Duration::zero() && *ttl <= kEtcdTtlMax);
      }
      return;
    case 4: static_cast<void>(ReadEtcdLease(answer)); return;
    case 5: static_cast<void>(ReadEtcdToken(answer)); return;
  }
}

}  // namespace troth::fuzz
