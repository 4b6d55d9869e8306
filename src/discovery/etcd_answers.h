#pragma once
// Reads the bytes that etcd answers with. They come from outside: any bytes give a value or an
// error. Pure functions.

#include <string>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "discovery/etcd_client.h"

namespace troth {

// DataLoss when the bytes are no such answer.
StatusOr<EtcdRange> ReadEtcdRange(const std::string& answer);
StatusOr<std::string> ReadEtcdToken(const std::string& answer);
// The id of a granted lease. Unavailable with etcd's own words when it granted none.
StatusOr<int64_t> ReadEtcdLease(const std::string& answer);
// What is left of a lease: 0 when there is none, and never more than kEtcdTtlMax.
inline constexpr Duration kEtcdTtlMax = Seconds(24LL * 3600 * 366);
StatusOr<Duration> ReadEtcdTtl(const std::string& answer);
// Changes of watched keys; none for an answer that only keeps the stream alive. OutOfRange when the
// revisions asked for were compacted away, FailedPrecondition when etcd ended the watch.
StatusOr<std::vector<EtcdEvent>> ReadEtcdEvents(const std::string& answer);

}  // namespace troth
