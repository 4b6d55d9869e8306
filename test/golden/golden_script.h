#pragma once
// A golden script: a conversation with the engine as text. Blocks are separated by an empty line;
// a block is lines of input, a line ----, and the lines the engine answers with. Lines that begin
// with # are comments.
//
//   submit m1 msg a b
//   saved m1
//   ----
//   @0 save m1 v1 submitted lease=10 iv=10 rows=PP
//   @0 reply #1 ok
//   @0 call m1/01 action a
//
// Input lines (seconds may have a fraction; [] is optional, KEY=VALUE and +KEY anywhere):
//   auto store|claim          answer saves and loads at once; claim what is due as time passes
//   option NAME VALUE         of EngineOptions, before anything else
//   submit|prepare GID TYPE [URL...] [KEY=VALUE...]
//   prepare-workflow GID URL  abort GID TYPE|-  force-stop GID  reset-cron GID
//   register GID TYPE BRANCH_ID URL [data=TEXT] [status=failed]
//   done GID/BRANCH_ID OP ok|failed|ongoing|unknown[(GRPC_CODE)] [TEXT]
//   saved GID  written GID (but not told yet)  conflict GID  refused GID  unknown GID stored|lost
//   loaded GID  load-failed GID TEXT
//   claim GID                 the store hands it over as it is stored, or was at ask-claim
//   ask-claim GID             what it hands over is on its way
//   wait SECONDS              time passes, with all deadlines on the way
//   other GID STATUS          another server saves this status
//   erase GID  crash  stop  hand-back
// Keys of submit and prepare: +wait, +concurrent, timeout_to_fail, request_timeout, retry_interval,
// retry_limit, retry_count, delay, check (query_prepared), orders (saga: 2:0,1;3:2), and for the
// submit of a workflow status, result, reason; for abort reason.

#include <string>
#include <string_view>

namespace troth {

// Runs the script and returns it with what the engine answered in place of what the script says it
// answers. Equal texts: as expected. A line that is not understood, or a promise the engine broke,
// shows as a line of its own.
std::string RunGoldenScript(std::string_view script);

}  // namespace troth
