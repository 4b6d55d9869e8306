#pragma once
// Brings due transactions from the store to their shards: at start everything a crash left behind,
// later whatever's time has come. Runs on one loop; the store is asked on a reader thread, one
// question at a time.

#include <functional>
#include <memory>
#include <vector>

#include "net/loop.h"
#include "runtime/shard_thread.h"
#include "runtime/store_readers.h"
#include "store/store.h"

namespace troth {

struct ClaimerOptions {
  Duration lease = Seconds(10);  // how long a claimed transaction is ours
  // How exact due times are kept; dtm polls every 3 s.
  Duration tick = std::chrono::milliseconds(20);
  size_t batch_max = 256;  // claimed at once; asked again at once when full
};

class Claimer {
 public:
  // Index of the shard that owns a gid.
  using ShardOf = std::function<size_t(std::string_view gid)>;

  Claimer(net::Loop& loop,
          Store& store,
          StoreReaders& readers,
          const Clock& clock,
          std::vector<ShardThread*> shards,
          ShardOf shard_of,
          ClaimerOptions options);
  ~Claimer();
  Claimer(const Claimer&) = delete;
  Claimer& operator=(const Claimer&) = delete;

  // On the loop, or before it runs.
  void Start();
  void Stop();
  // Whether an answer of the store is on its way to the shards, also after Stop.
  bool asking() const { return asking_; }

 private:
  void OnTick();
  // On a reader thread; true when there may be more.
  bool ClaimBatch(TimePoint now, size_t limit);
  size_t Room() const;

  net::Loop& loop_;
  Store& store_;
  StoreReaders& readers_;
  const Clock& clock_;
  const std::vector<ShardThread*> shards_;
  const ShardOf shard_of_;
  const ClaimerOptions options_;
  net::Timer timer_;
  bool asking_ = false;  // on the loop
  bool stopped_ = true;
};

}  // namespace troth
