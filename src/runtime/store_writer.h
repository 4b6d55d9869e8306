#pragma once
// The threads that commit: gather the saves of all shards and hand whatever waits to Store::Commit
// as one batch, so that one sync serves them all. Results go back to their shards in one piece per
// batch. One thread for a store of our own; as many as Store::commit_shape() says for a shared one,
// where the next batch is on its way while the one before is made durable.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/counter.h"
#include "engine/event.h"
#include "store/store.h"

namespace troth {

struct PendingSave {
  TxnId id = 0;
  SaveRecord record;
};

// Saves of one Commit.
inline constexpr std::array<int64_t, 7> kBatchBounds = {1, 4, 16, 64, 256, 1024, 4096};
// Bounds the memory and the latency of a batch.
inline constexpr size_t kBatchMax = 4096;
// Microseconds inside Commit: a disk syncs in a fraction of the 5 ms where durations begin else.
inline constexpr std::array<int64_t, 11> kCommitBounds = {
    100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 1'000'000, 10'000'000};

// Read by any thread; written with the writer's lock held.
struct StoreWriterCounters {
  CountingHistogram<kCommitBounds.size()> took{kCommitBounds};
  CountingHistogram<kBatchBounds.size()> batch{kBatchBounds};
  Counter conflicts;
  Counter failed_saves;              // answered kUnknown
  Counter refused_saves;             // the store cannot hold them
  std::atomic<uint64_t> waiting{0};  // saves queued or in Commit
};

// How long a batch may wait for more saves. A sync costs the same for one as for a hundred, so with
// many transactions under way it pays to wait for half of them; never longer than a third of a
// commit, and hardly at all while waiting brings nothing (the others wait for slow services).
class GatherTime {
 public:
  std::chrono::microseconds max() const { return max_; }
  void OnCommit(std::chrono::microseconds took);
  // `full`: what it waited for came.
  void OnGathered(bool full);

 private:
  std::chrono::microseconds commit_{0};  // smoothed
  std::chrono::microseconds max_{0};
  int share_ = 1;  // of the longest wait, 1/share_ is used
};

class StoreWriter {
 public:
  // Runs on the writer's threads, on several at once.
  using Deliver = std::function<void(size_t shard, std::vector<SaveDone> results)>;
  // A save is durable. Likewise.
  using OnStored = std::function<void(std::string_view gid)>;

  // `store` outlives it. Saves of one Commit at most `batch_max`, or fewer if the store wants
  // fewer. `busy` (any thread) tells how many transactions could bring a save soon.
  StoreWriter(Store& store,
              size_t shards,
              Deliver deliver,
              std::function<size_t()> busy,
              size_t batch_max = kBatchMax,
              OnStored stored = nullptr);
  ~StoreWriter();  // commits what was queued first
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // Any thread. Takes the saves out of `saves`, which may have memory for others then. Bounded by
  // its users: a transaction has at most one open save, which is also why its saves stay in order
  // although several threads commit, and the transactions of a shard are bounded
  // (Limits::in_flight_max).
  void Enqueue(size_t shard, std::vector<PendingSave>& saves);

  const StoreWriterCounters& counters() const { return counters_; }

 private:
  struct Item {
    size_t shard;
    TxnId id;
  };
  struct Batch {
    std::vector<Item> items;
    std::vector<SaveRecord> records;
  };
  // What a shard brought at once.
  struct Turn {
    size_t shard = 0;
    size_t taken = 0;  // the first are in a batch
    std::vector<PendingSave> saves;
  };

  void Run();
  // Waits for saves; false when stopped and nothing is left.
  bool Take(Batch& batch);
  // Waits a little for more when more is likely to come.
  void Gather() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // From the oldest turn to the batch; as many as there is room for.
  void TakeFromOldest(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitAndDeliver(Batch& batch);
  void Count(std::span<const SaveOutcome> outcomes, std::chrono::microseconds took);
  void HandOut(const Batch& batch, std::vector<SaveOutcome>& outcomes);

  Store& store_;
  const size_t shards_;
  const Deliver deliver_;
  const std::function<size_t()> busy_;
  const size_t batch_max_;
  const OnStored stored_;  // may be empty
  StoreWriterCounters counters_;
  absl::Mutex mutex_;
  std::deque<Turn> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;  // saves in it
  // Empty, with memory for the next turns; those of thousands are given back.
  std::vector<std::vector<PendingSave>> spare_ ABSL_GUARDED_BY(mutex_);
  GatherTime gather_ ABSL_GUARDED_BY(mutex_);
  bool gathering_ ABSL_GUARDED_BY(mutex_) = false;  // a thread waits for more saves
  size_t committing_ ABSL_GUARDED_BY(mutex_) = 0;   // saves in Commit
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace troth
