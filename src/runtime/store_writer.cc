#include "runtime/store_writer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "absl/time/time.h"
#include "base/check.h"

namespace troth {
namespace {

// Moves the first `count` elements of `from` into `to`.
template <typename T>
void MoveFront(std::vector<T>& from, size_t count, std::vector<T>& to) {
  const auto end = from.begin() + static_cast<std::ptrdiff_t>(count);
  to.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
  from.erase(from.begin(), end);
}

// A commit's share that a batch may wait at the most, and the longest wait whatever a commit takes.
constexpr int kCommitShare = 3;
constexpr std::chrono::microseconds kGatherMax{2000};
// Waiting that brings nothing is halved down to this share, which is how it finds out that it pays
// again.
constexpr int kShareMax = 16;
constexpr int kSmoothing = 8;

}  // namespace

void GatherTime::OnCommit(std::chrono::microseconds took) {
  commit_ += (took - commit_) / kSmoothing;
  max_ = std::min(commit_ / (kCommitShare * share_), kGatherMax);
}

void GatherTime::OnGathered(bool full) {
  share_ = full ? std::max(1, share_ / 2) : std::min(kShareMax, share_ * 2);
}

StoreWriter::StoreWriter(Store& store,
                         size_t shards,
                         Deliver deliver,
                         std::function<size_t()> busy,
                         size_t batch_max,
                         OnStored stored)
    : store_(store),
      shards_(shards),
      deliver_(std::move(deliver)),
      busy_(std::move(busy)),
      batch_max_(batch_max),
      stored_(std::move(stored)),
      thread_([this] { Run(); }) {}

StoreWriter::~StoreWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void StoreWriter::Enqueue(size_t shard, std::vector<PendingSave>& saves) {
  counters_.waiting.fetch_add(saves.size(), std::memory_order_relaxed);
  {
    absl::MutexLock lock(&mutex_);
    for (PendingSave& save : saves) {
      queue_.items.push_back({shard, save.id});
      queue_.records.push_back(std::move(save.record));
    }
  }
  saves.clear();
}

void StoreWriter::Run() {
  Batch batch;
  while (Take(batch)) CommitAndDeliver(batch);
}

bool StoreWriter::Take(Batch& batch) {
  batch.items.clear();
  batch.records.clear();
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.items.empty();
  };
  absl::MutexLock lock(&mutex_, absl::Condition(&ready));
  Gather();
  if (queue_.items.size() <= batch_max_) {
    std::swap(batch, queue_);
  } else {
    MoveFront(queue_.items, batch_max_, batch.items);
    MoveFront(queue_.records, batch_max_, batch.records);
  }
  return !batch.items.empty();
}

void StoreWriter::Gather() {
  const size_t wanted = std::min(busy_() / 2, batch_max_);
  if (stopping_ || queue_.items.size() >= wanted) return;
  const auto enough = [this, wanted]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || queue_.items.size() >= wanted;
  };
  gather_.OnGathered(
      mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::FromChrono(gather_.max())));
}

void StoreWriter::CommitAndDeliver(Batch& batch) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<SaveOutcome> outcomes = store_.Commit(batch.records);
  TROTH_CHECK(outcomes.size() == batch.items.size());
  const auto took = std::chrono::steady_clock::now() - start;

  std::vector<std::vector<SaveDone>> results(shards_);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].result == SaveResult::kConflict) counters_.conflicts.Add();
    if (outcomes[i].result == SaveResult::kRefused) counters_.refused_saves.Add();
    if (outcomes[i].result == SaveResult::kUnknown) counters_.failed_saves.Add();
    results[batch.items[i].shard].push_back({batch.items[i].id,
                                             batch.records[i].version,
                                             outcomes[i].result,
                                             std::move(outcomes[i].error)});
  }
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(took);
  gather_.OnCommit(micros);
  counters_.took.Add(micros.count());
  counters_.batch.Add(static_cast<int64_t>(outcomes.size()));
  counters_.waiting.fetch_sub(outcomes.size(), std::memory_order_relaxed);
  for (size_t shard = 0; shard < shards_; ++shard) {
    if (!results[shard].empty()) deliver_(shard, std::move(results[shard]));
  }
  if (!stored_) return;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].result == SaveResult::kStored) stored_(batch.records[i].gid);
  }
}

}  // namespace troth
