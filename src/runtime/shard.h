#pragma once
// One engine and what it needs around it: carries its actions out, brings the answers back as
// events. No thread, no clock and no socket of its own, so that the simulator runs the same code as
// the server.
//
// One thread at a time (the shard's); everything it calls is called on that thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/time.h"
#include "caller/caller.h"
#include "engine/action.h"
#include "engine/engine.h"
#include "runtime/lanes.h"

namespace troth {

// What a shard needs of its surroundings.
class ShardPorts {
 public:
  virtual ~ShardPorts() = default;
  // Commit soon, then hand SaveDone{save.id, save.txn->version} to Shard::Handle. What it points to
  // is gone on return.
  virtual void Save(const troth::Save& save) = 0;
  // Read, then hand LoadDone{id} to Shard::Handle.
  virtual void Load(TxnId id, std::string gid) = 0;
  // Tell the client. `reply` may be taken apart.
  virtual void Answer(Reply& reply) = 0;
  virtual void OnAlert(const Alert& alert) = 0;
  // The transaction reached its end, durably.
  virtual void OnEnded(const Transaction& txn) = 0;
  // An event was handled: the deadline and the load may have changed.
  virtual void OnHandled() = 0;
};

// What a shard counts, for metrics. Written by the shard's thread, read by any.
struct ShardCounters {
  Counter events;
  Counter saves;
  Counter loads;
  Counter calls;
  Counter calls_unknown;
  Counter calls_held_back;  // not made, because nobody answers there
  Counter circuits_opened;
  Counter circuits_closed;
  // From creation to the durable end, by TransType.
  std::array<DurationHistogram, kTransTypes> succeeded;
  std::array<DurationHistogram, kTransTypes> failed;
};

class Shard final : public CallSink {
 public:
  // Everything passed in outlives the shard.
  Shard(EngineOptions options,
        uint64_t seed,
        const Clock& clock,
        BranchCaller& caller,
        ShardPorts& ports);

  // Steps the engine with the event and carries out what it asks for. Called from inside an action
  // (a caller or a port that answers at once), the event waits until that action list is done.
  void Handle(Event event);

  // Handles nothing any more: what still comes in while its surroundings are taken down is dropped,
  // as if the process had ended already.
  void Halt() { halted_ = true; }

  void OnCallDone(TxnId id, uint32_t call, CallResult result) override;

  std::optional<TimePoint> NextDeadline() const;
  Engine& engine() { return engine_; }
  const Engine& engine() const { return engine_; }
  const ShardCounters& counters() const { return counters_; }
  const Lanes& lanes() const { return lanes_; }

 private:
  void CarryOut(Actions& actions);
  void Do(Save& save);
  void Do(Load& load);
  void Do(Call& call);
  void Do(Reply& reply);
  void Do(Alert& alert);
  void Do(Ended& ended);

  // Whether nobody answers where the call would go; its result is queued then.
  bool RefusedByLane(const Call& call);
  void TellLanes(TxnId id, uint32_t call, const CallResult& result);
  void WakeDue();

  Engine engine_;
  const Clock& clock_;
  BranchCaller& caller_;
  ShardPorts& ports_;
  ShardCounters counters_;
  Lanes lanes_;
  bool halted_ = false;
  bool stepping_ = false;
  std::vector<Event> waiting_;  // came while stepping; bounded by the actions of one step
  Actions actions_;             // kept for its capacity
};

}  // namespace troth
