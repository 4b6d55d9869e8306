#pragma once
// The bounds the engine works by. What clients meet comes from base/limits.h; the rest, with its
// reasons, stands here. A value of its own, so that tests can make bounds small.

#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "base/time.h"

namespace troth {

struct Limits {
  size_t gid_bytes_max = limits::kGidBytesMax;
  size_t branch_id_bytes_max = limits::kBranchIdBytesMax;
  size_t url_bytes_max = limits::kUrlBytesMax;
  size_t branches_max = limits::kBranchesMax;
  size_t payload_bytes_max = limits::kPayloadBytesMax;
  size_t custom_data_bytes_max = limits::kCustomDataBytesMax;
  size_t branch_headers_max = limits::kBranchHeadersMax;
  size_t branch_header_bytes_max = limits::kBranchHeaderBytesMax;
  size_t reason_bytes_max = limits::kReasonBytesMax;
  size_t result_bytes_max = limits::kResultBytesMax;
  size_t attempts_of_branch_max = limits::kAttemptsOfBranchMax;
  size_t attempts_max = limits::kAttemptsMax;
  size_t attempt_error_bytes_max = limits::kAttemptErrorBytesMax;
  size_t in_flight_max = limits::kInFlightMax;
  size_t waiting_requests_max = limits::kWaitingRequestsMax;

  // Calls of one concurrent transaction open at once.
  size_t parallel_calls_max = 64;
  // Seconds an interval may grow to by doubling (dtm: unbounded).
  int64_t retry_interval_max = 3600;
  // Further tries of a saga action that retry_limit allows at once; those after it wait by backoff,
  // so that a large limit is no hot loop against a broken service.
  int64_t immediate_retries_max = 10;
  // Options in seconds: a year; larger values overflow somebody's arithmetic.
  int64_t option_seconds_max = 366 * 24 * 3600;
  // How long a finished branch may stay unsaved while its transaction goes on: saving it with the
  // next change instead of at once halves the writes, and a crash in between only repeats a call.
  Duration progress_save_delay = std::chrono::milliseconds(50);
  // Idle transactions kept in memory after their pass, to spare a load when the next request comes.
  size_t resident_idle_max = 10000;
  // How long: about as long as a client takes between prepare, register and submit.
  Duration resident_idle_time = Seconds(10);
};

}  // namespace troth
