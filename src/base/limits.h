#pragma once
// What clients may send and how much may wait for the server: every limit that somebody outside can
// meet, with its default and the reason for its size. Past a limit the request is refused early
// with a clear error, and with a hint to try again where that helps; nothing is cut silently.
// docs/limits.md tells the same to users, and a test compares the two.

#include <cstddef>
#include <cstdint>

namespace troth::limits {

// --- one transaction

// dtm's SQL columns: gid and branch_id are varchar(128); a gid that fits everywhere can move
// between stores.
inline constexpr size_t kGidBytesMax = 128;
inline constexpr size_t kBranchIdBytesMax = 128;
// URLs longer than this are refused by common HTTP servers too.
inline constexpr size_t kUrlBytesMax = 8192;
// Ten times what is known to be used; as many rows still encode in a few milliseconds.
inline constexpr size_t kBranchesMax = 10000;
// gRPC's customary message limit, for all payloads together as well as for one.
inline constexpr size_t kPayloadBytesMax = 4 << 20;
inline constexpr size_t kCustomDataBytesMax = 64 << 10;
inline constexpr size_t kBranchHeadersMax = 64;
inline constexpr size_t kBranchHeaderBytesMax = 8192;  // all names and values
inline constexpr size_t kResultBytesMax = 1 << 20;
// Longer texts are cut on a UTF-8 boundary: they explain, they decide nothing.
inline constexpr size_t kReasonBytesMax = 1024;
// Calls that were no success kept with a transaction (engine/attempt.h): enough to see a pattern,
// few enough to be written with every save.
inline constexpr size_t kAttemptsOfBranchMax = 8;
inline constexpr size_t kAttemptsMax = 64;
inline constexpr size_t kAttemptErrorBytesMax = 256;

// --- one request on the wire

inline constexpr uint32_t kHttpBodyBytesMax = 4 << 20;
inline constexpr uint32_t kHttpHeaderBytesMax = 16 << 10;
inline constexpr uint32_t kGrpcMessageBytesMax = 4 << 20;  // also after inflation
inline constexpr uint32_t kGrpcHeaderBytesMax = 16 << 10;
inline constexpr size_t kJsonRpcBatchMax = 1000;

// --- at once

inline constexpr uint32_t kConnectionsMax = 10000;           // of each listener
inline constexpr uint32_t kGrpcCallsOfConnectionMax = 4096;  // announced in SETTINGS
// Transactions being worked on in one shard: some 100 MB with small ones.
inline constexpr size_t kInFlightMax = 50000;
inline constexpr size_t kWaitingRequestsMax = 256;  // for one transaction's open save
inline constexpr size_t kInboxRequestsMax = 16384;  // of other threads, for one shard
inline constexpr size_t kQueriesMax = 1024;         // for the store
inline constexpr size_t kWatchersMax = 1024;        // clients that wait for or follow a transaction
inline constexpr size_t kAlertsMax = 1024;          // on their way to the web hook

}  // namespace troth::limits
