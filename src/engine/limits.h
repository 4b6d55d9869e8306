#pragma once
// Every bound of the engine and of what clients may send, each with the reason for its size. Past a
// bound the request is refused early with a clear error; nothing is cut silently.

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace troth {

struct Limits {
  // dtm's SQL columns: gid and branch_id are varchar(128); a gid that fits everywhere can move
  // between stores.
  size_t gid_bytes_max = 128;
  size_t branch_id_bytes_max = 128;
  // URLs longer than this are refused by common HTTP servers too.
  size_t url_bytes_max = 8192;
  // The issue asks for 1,000 at least; 10,000 rows still encode in a few milliseconds.
  size_t branches_max = 10000;
  // gRPC's customary message limit, for the whole request as well as for one payload.
  size_t payload_bytes_max = 4 << 20;
  size_t custom_data_bytes_max = 64 << 10;
  size_t branch_headers_max = 64;
  size_t branch_header_bytes_max = 8192;  // all names and values
  // Longer texts are cut on a UTF-8 boundary: they explain, they decide nothing.
  size_t reason_bytes_max = 1024;
  size_t result_bytes_max = 1 << 20;
  // Calls that were no success kept with a transaction (attempt.h): enough to see a pattern, few
  // enough to be written with every save.
  size_t attempts_of_branch_max = 8;
  size_t attempts_max = 64;
  size_t attempt_error_bytes_max = 256;
  // Transactions being worked on at once in one shard; further requests are refused with a retry
  // hint.
  size_t in_flight_max = 50000;
  // Requests waiting for one transaction's open save.
  size_t waiting_requests_max = 256;
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
