#pragma once
// A server: production shards with their engines, and around them what the runtime's threads do,
// in simulated time: one commit at a time of whatever waits, claims of what is due, ticks.
//
// It can crash at any moment, stop and go on (SIGSTOP), drain, and have a clock that is wrong.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "auditor.h"
#include "bugs.h"
#include "context.h"
#include "runtime/shard.h"
#include "services.h"
#include "sim_clock.h"
#include "sim_store.h"

namespace troth::sim {

// A reply as it travels: nothing of it points into the engine.
struct ClientReply {
  ReplyCode code = ReplyCode::kOk;
  std::string message;
  std::unique_ptr<Transaction> txn;
};

struct ServerOptions {
  EngineOptions engine;
  size_t shards = 1;
  Duration claim_tick = Millis(100);
};

class SimServer {
 public:
  using ReplyFn = std::function<void(const ClientReply&)>;

  SimServer(Context& context,
            int number,
            ServerOptions options,
            StorePort& store,
            Services& services,
            Auditor& auditor,
            Bug bug);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  int number() const { return number_; }
  bool up() const { return !shards_.empty(); }
  SimClock& clock() { return clock_; }

  void Start();
  void Crash();
  // Nothing happens in it for a while; its clock goes on.
  void Pause(Duration pause);
  // Lets what runs end, then stops: at the latest after `grace`. `stopped` is not run when it
  // crashes meanwhile.
  void Drain(Duration grace, std::function<void()> stopped);
  // The clock was set: whoever waits for a time looks again.
  void OnClockSet();

  // A request that has arrived. `reply` is run at most once.
  void Receive(const Request& request, ReplyFn reply);

 private:
  class Host;  // one shard with its ports
  struct OpenRequest {
    Request request;  // without its rows
    ReplyFn reply;
  };
  struct QueuedSave {
    size_t shard = 0;
    TxnId id = 0;
    SaveRecord record;
  };

  Incarnation self() const { return {.server = number_, .life = life_}; }
  // The task as it runs in this life of the server: not after it, and not while it stands still.
  std::function<void()> Here(std::function<void()> task);
  void After(Duration delay, std::function<void()> task);

  void QueueSave(QueuedSave save);
  void CommitQueued();
  void OnCommitted(const std::vector<QueuedSave>& batch, const std::vector<SaveOutcome>& outcomes);
  void ClaimTick();
  struct OpenClaim {
    TimePoint lease_until;
    std::vector<uint64_t> forgotten;  // of each shard, when it was asked
  };
  void OnClaimed(const StatusOr<std::vector<StoredRecord>>& records, const OpenClaim& claim);
  void CheckDrained(TimePoint end, std::function<void()> stopped);
  void Answer(Reply& reply);
  size_t ShardOf(std::string_view gid) const;

  Context& context_;
  const int number_;
  const ServerOptions options_;
  StorePort& store_;
  Services& services_;
  Auditor& auditor_;
  const Bug bug_;
  SimClock clock_;
  BuggyClock buggy_clock_;  // what the engines see
  int life_ = 0;
  bool draining_ = false;
  bool handed_back_ = false;
  TimePoint paused_until_;
  std::vector<std::unique_ptr<Host>> shards_;
  std::map<ReplyToken, OpenRequest> requests_;
  ReplyToken last_token_ = 0;
  std::vector<QueuedSave> queue_;  // bounded by the transactions in flight
  bool committing_ = false;
  bool claiming_ = false;
};

}  // namespace troth::sim
