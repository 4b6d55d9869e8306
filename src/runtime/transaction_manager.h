#pragma once
// The transaction manager as the API sees it: requests in, answers out, each gid on its shard;
// queries straight from the store. Owns the shards and the store's threads; loops, callers and the
// store are the server's.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "caller/caller.h"
#include "runtime/claimer.h"
#include "runtime/shard_thread.h"
#include "runtime/store_readers.h"
#include "runtime/store_writer.h"
#include "store/store.h"

namespace troth {

struct TransactionManagerOptions {
  EngineOptions engine;
  ClaimerOptions claimer;
  // Finished transactions are removed this long after their end; 0: never.
  Duration keep_finished = Seconds(7 * 24 * 3600);
  uint64_t seed = 0;
  // A change of a transaction is durable. Called on the store's thread, for each save; may be
  // empty.
  StoreWriter::OnStored stored = nullptr;
};

// The loop a shard lives on and the caller made for it.
struct ShardPlace {
  net::Loop* loop = nullptr;
  BranchCaller* caller = nullptr;
};

struct TransactionPage {
  std::vector<std::shared_ptr<const Transaction>> transactions;  // newest first
  std::vector<DamagedRecord> damaged;                            // left out, and logged
  std::string next_position;
};

class TransactionManager {
 public:
  using QueryFn = std::function<void(StatusOr<std::shared_ptr<const Transaction>>)>;
  using ListFn = std::function<void(StatusOr<TransactionPage>)>;

  // One shard per place. Everything passed in outlives the manager.
  TransactionManager(TransactionManagerOptions options,
                     std::vector<ShardPlace> places,
                     Store& store,
                     const Clock& clock,
                     ShardThread::Observers observers);
  // The loops must have stopped.
  ~TransactionManager();

  // Begins with what is due. Before the loops run.
  void Start();

  // All below: any thread; the function is called once, on `loop`.

  void Request(troth::Request request, net::Loop& loop, AnswerFn done);
  // What is stored of `gid`; a null pointer when there is nothing.
  void Query(std::string gid, net::Loop& loop, QueryFn done);
  void List(ListFilter filter, net::Loop& loop, ListFn done);
  // Runs `job` where it may block on the store; false when too many wait (answer: try again later).
  [[nodiscard]] bool RunOnStore(std::function<void(Store&)> job);

  // Claims nothing more and lets what runs end. Towards the end of `grace` nothing new is called,
  // then calls that have no answer are given up and their transactions handed to whoever asks the
  // store next; for that there is always time, even if `grace` passed while the machine stood
  // still. done() on `loop`, the first shard's, when nothing runs any more or that time and `grace`
  // have passed. Everything acknowledged is in the store either way.
  void Drain(Duration grace, net::Loop& loop, std::function<void()> done);

  // Once the loops have stopped for good: what calls and requests still end with while they are
  // destroyed is dropped. The next start finds their transactions as they were saved last.
  void Halt();

  size_t busy() const;
  const StoreWriterCounters& writer_counters() const { return writer_->counters(); }
  Store& store() const { return store_; }
  std::span<const std::unique_ptr<ShardThread>> shards() const { return shards_; }
  size_t waiting_reads() const { return readers_->waiting(); }
  // How long the oldest transaction has been without an end; 0 when there is none.
  Duration OldestUnfinished() const;

 private:
  class Drainer;
  class Purger;

  size_t ShardOf(std::string_view gid) const;
  // Whether nothing runs and nothing is on its way to the shards. On the claimer's loop.
  bool IsQuiet() const;

  const TransactionManagerOptions options_;
  Store& store_;
  const Clock& clock_;
  std::vector<std::unique_ptr<ShardThread>> shards_;
  std::unique_ptr<StoreReaders> readers_;
  std::unique_ptr<StoreWriter> writer_;
  std::unique_ptr<Claimer> claimer_;
  std::unique_ptr<Purger> purger_;
  std::unique_ptr<Drainer> drainer_;
};

}  // namespace troth
