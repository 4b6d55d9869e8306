#pragma once
// The transaction manager as a pure state machine: events in, actions out. No I/O, no clock, no
// thread; the same state, time and event give the same actions.
//
// One engine per shard, called by one thread at a time (runtime/shard.h). It holds only the
// transactions being worked on, plus recently used idle ones. A transaction that has to wait is
// saved with its due time and may be forgotten; the store's ClaimDue brings it back (event
// Claimed).
//
// Rules it keeps:
//  - No action depends on a save that is still open: a reply comes after the save it reports, a
//  decision to abort is
//    durable before the first compensation, a final status before a waiting submitter is told. The
//    success of a branch alone may be saved late (Limits::progress_save_delay): losing it repeats a
//    call, which is allowed.
//  - Every save names the version it follows; kConflict and kUnknown make it load and look again.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/counter.h"
#include "base/time.h"
#include "engine/action.h"
#include "engine/event.h"
#include "engine/options.h"

namespace troth {

// Written by the engine's thread, read by any.
struct EngineCounters {
  // How old transactions were when a pass over them began, by TransType.
  std::array<DurationHistogram, kTransTypes> age_at_pass;
};

class Engine {
 public:
  // `seed` places gids in the hash table: clients choose gids and must not be able to aim them at
  // one bucket.
  Engine(EngineOptions options, uint64_t seed);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Handles one event and appends what is to be done. The only way in. Frees what the actions of
  // the last Step pointed to.
  void Step(TimePoint now, Event&& event, Actions& actions);

  // A hint that Step gets this event soon: what it is about is brought into the processor's cache
  // meanwhile. Changes nothing.
  void Expect(const Event& event) const;

  // When to call Step with a Tick if nothing else happens; nothing: no need.
  std::optional<TimePoint> NextDeadline() const;

  // No new passes begin; what runs goes on to its next save. For a drain: once busy() is 0 the
  // process may end. Event HandBack makes an end of what still waits for calls then.
  void StopStarting();

  // What an open call was to do; nothing when the engine does not wait for it. Valid until the next
  // Step.
  struct OpenCallView {
    std::string_view gid;
    std::string_view url;
  };
  std::optional<OpenCallView> FindCall(TxnId id, uint32_t call) const;

  size_t busy() const;      // transactions with an open save, load, call or waiting request
  size_t resident() const;  // busy ones and idle ones kept for the next request
  // How many more claimed transactions it can take now.
  size_t room() const;
  const EngineCounters& counters() const;
  // How many transactions it has forgotten; any thread. Event Claimed wants it.
  uint64_t forgotten() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troth
