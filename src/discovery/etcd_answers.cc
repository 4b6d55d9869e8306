#include "discovery/etcd_answers.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "etcd.pb.h"

namespace troth {
namespace {

template <typename Response>
StatusOr<Response> Parse(const std::string& answer) {
  Response response;
  if (!response.ParseFromString(answer)) return DataLoss("etcd's answer does not parse");
  return response;
}

EtcdEntry ToEntry(const etcd::KeyValue& kv) {
  return {
      .key = kv.key(), .value = kv.value(), .mod_revision = kv.mod_revision(), .lease = kv.lease()};
}

}  // namespace

StatusOr<EtcdRange> ReadEtcdRange(const std::string& answer) {
  TROTH_ASSIGN_OR_RETURN(const etcd::RangeResponse response, Parse<etcd::RangeResponse>(answer));
  EtcdRange range{.revision = response.header().revision(), .entries = {}};
  for (const etcd::KeyValue& kv : response.kvs()) range.entries.push_back(ToEntry(kv));
  return range;
}

StatusOr<std::string> ReadEtcdToken(const std::string& answer) {
  TROTH_ASSIGN_OR_RETURN(const etcd::AuthenticateResponse response,
                         Parse<etcd::AuthenticateResponse>(answer));
  return response.token();
}

StatusOr<int64_t> ReadEtcdLease(const std::string& answer) {
  TROTH_ASSIGN_OR_RETURN(const etcd::LeaseGrantResponse response,
                         Parse<etcd::LeaseGrantResponse>(answer));
  if (!response.error().empty()) return Unavailable(response.error());
  return response.id();
}

StatusOr<Duration> ReadEtcdTtl(const std::string& answer) {
  TROTH_ASSIGN_OR_RETURN(const etcd::LeaseKeepAliveResponse response,
                         Parse<etcd::LeaseKeepAliveResponse>(answer));
  constexpr int64_t kMax = std::chrono::duration_cast<std::chrono::seconds>(kEtcdTtlMax).count();
  return Seconds(std::clamp<int64_t>(response.ttl_seconds(), 0, kMax));
}

StatusOr<std::vector<EtcdEvent>> ReadEtcdEvents(const std::string& answer) {
  TROTH_ASSIGN_OR_RETURN(const etcd::WatchResponse response, Parse<etcd::WatchResponse>(answer));
  if (response.compact_revision() != 0) {
    return MakeStatus(StatusCode::kOutOfRange,
                      Cat("compacted up to revision ", response.compact_revision()));
  }
  if (response.canceled()) {
    return FailedPrecondition(Cat("watch refused: ", response.cancel_reason()));
  }
  std::vector<EtcdEvent> events;
  for (const etcd::Event& event : response.events()) {
    events.push_back(
        {.deleted = event.type() == etcd::Event::DELETE, .entry = ToEntry(event.kv())});
  }
  return events;
}

}  // namespace troth
