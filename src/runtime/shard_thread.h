#pragma once
// A shard on a thread of its own: event loop, sockets, callers, and the inbox through which other
// threads reach it.

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "caller/caller.h"
#include "net/loop.h"
#include "runtime/shard.h"
#include "runtime/store_readers.h"
#include "runtime/store_writer.h"

namespace troth {

// What a client is told, owned by whoever gets it.
struct ClientAnswer {
  ReplyCode code = ReplyCode::kOk;
  std::string message;
  int grpc_code = 2;
  std::shared_ptr<const Transaction> txn;  // prepareWorkflow
};
using AnswerFn = std::function<void(ClientAnswer)>;

class ShardThread final : private ShardPorts, private net::TurnEndHook {
 public:
  // What happens outside a shard when it says so; called on the shard's thread.
  struct Observers {
    std::function<void(const Alert&)> alert;
    std::function<void(const Transaction&)> ended;
  };

  // `loop` runs on a thread that this object does not own until Start; everything outlives it.
  ShardThread(size_t index,
              net::Loop& loop,
              EngineOptions options,
              uint64_t seed,
              const Clock& clock,
              BranchCaller& caller,
              Store& store,
              StoreReaders& readers,
              Observers observers);
  ~ShardThread() override;

  // Before the loop runs.
  void set_writer(StoreWriter& writer) { writer_ = &writer; }

  // Any thread. `done` is called once on `reply_loop`.
  void Request(RequestPtr request, net::Loop& reply_loop, AnswerFn done);
  // Any thread: store results and claims.
  void Deliver(std::vector<SaveDone> results);
  void Deliver(Event event);

  // Any thread.
  size_t room() const { return room_.load(std::memory_order_relaxed); }
  size_t busy() const { return busy_.load(std::memory_order_relaxed); }
  uint64_t forgotten() const { return shard_.engine().forgotten(); }
  void StopStarting();
  // Any thread. Whether something that was delivered has not been handled yet, so that busy() does
  // not count it.
  bool HasIncoming();
  // Once the loop has stopped for good.
  void Halt() { shard_.Halt(); }

  net::Loop& loop() { return loop_; }
  // Requests and results of other threads that wait.
  size_t inbox_size();
  const ShardCounters& counters() const { return shard_.counters(); }
  const EngineCounters& engine_counters() const { return shard_.engine().counters(); }

 private:
  struct Waiter {
    net::Loop* loop = nullptr;
    AnswerFn done;
    uint32_t generation = 0;
    uint32_t next_free = 0;
  };
  struct Incoming {
    Event event;
    net::Loop* reply_loop = nullptr;  // a request of another thread
    AnswerFn done;
  };

  void Save(const troth::Save& save) override;
  void Load(TxnId id, std::string gid) override;
  void Answer(Reply& reply) override;
  void OnAlert(const Alert& alert) override;
  void OnEnded(const Transaction& txn) override;
  void OnHandled() override { loop_.AtTurnEnd(*this); }
  void OnTurnEnd() override;

  void HandleHere(RequestPtr request, net::Loop& reply_loop, AnswerFn done);
  void TakeInbox();
  bool MoreIncoming();
  // False when a request finds too many before it.
  bool Push(Incoming incoming);
  ReplyToken Remember(net::Loop& loop, AnswerFn done);
  void ArmDeadline();

  const size_t index_;
  net::Loop& loop_;
  const Clock& clock_;
  Store& store_;
  StoreReaders& readers_;
  StoreWriter* writer_ = nullptr;
  const Observers observers_;
  net::Timer deadline_;
  std::vector<PendingSave> saves_;  // of this turn, not handed to the writer yet
  std::vector<Waiter> waiters_;
  uint32_t free_waiter_ = 0;  // index + 1; 0: none
  std::atomic<size_t> room_;
  std::atomic<size_t> busy_{0};
  Shard shard_;
  // Out of the inbox, being handled. Both give their memory back as they empty.
  std::deque<Incoming> taken_;

  absl::Mutex mutex_;
  std::deque<Incoming> inbox_ ABSL_GUARDED_BY(mutex_);
  size_t inbox_requests_ ABSL_GUARDED_BY(mutex_) = 0;
  bool taking_ ABSL_GUARDED_BY(mutex_) = false;  // TakeInbox will look into it
};

}  // namespace troth
