#include "runtime/store_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "base/check.h"

namespace troth {
namespace {

// A commit's share that a batch may wait at the most, and the longest wait whatever a commit takes.
constexpr int kCommitShare = 3;
constexpr std::chrono::microseconds kGatherMax{2000};
// Waiting that brings nothing is halved down to this share, which is how it finds out that it pays
// again.
constexpr int kShareMax = 16;
constexpr int kSmoothing = 8;

// Memory kept for turns to come: of so many, and of no more saves each.
constexpr size_t kSpareMax = 4;
constexpr size_t kSpareSavesMax = 512;

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
      batch_max_(std::min(batch_max, store.commit_shape().saves_max)),
      stored_(std::move(stored)) {
  const size_t at_once = store.commit_shape().at_once;
  for (size_t i = 0; i < at_once; ++i) threads_.emplace_back([this] { Run(); });
}

StoreWriter::~StoreWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void StoreWriter::Enqueue(size_t shard, std::vector<PendingSave>& saves) {
  counters_.waiting.fetch_add(saves.size(), std::memory_order_relaxed);
  {
    absl::MutexLock lock(&mutex_);
    queued_ += saves.size();
    queue_.push_back({shard, 0, std::exchange(saves, {})});
    if (!spare_.empty()) {
      saves = std::move(spare_.back());
      spare_.pop_back();
    }
  }
}

void StoreWriter::Run() {
  Batch batch;
  while (Take(batch)) CommitAndDeliver(batch);
}

bool StoreWriter::Take(Batch& batch) {
  batch.items.clear();
  batch.records.clear();
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !gathering_ && (stopping_ || queued_ > 0);
  };
  absl::MutexLock lock(&mutex_, absl::Condition(&ready));
  gathering_ = true;
  Gather();
  gathering_ = false;
  while (!queue_.empty() && batch.items.size() < batch_max_) TakeFromOldest(batch);
  committing_ += batch.items.size();
  return !batch.items.empty();
}

void StoreWriter::TakeFromOldest(Batch& batch) {
  Turn& turn = queue_.front();
  const size_t room = batch_max_ - batch.items.size();
  const size_t end = std::min(turn.saves.size(), turn.taken + room);
  queued_ -= end - turn.taken;
  for (; turn.taken < end; ++turn.taken) {
    PendingSave& save = turn.saves[turn.taken];
    batch.items.push_back({turn.shard, save.id});
    batch.records.push_back(std::move(save.record));
  }
  if (turn.taken < turn.saves.size()) return;
  turn.saves.clear();
  if (spare_.size() < kSpareMax && turn.saves.capacity() <= kSpareSavesMax) {
    spare_.push_back(std::move(turn.saves));
  }
  queue_.pop_front();
}

void StoreWriter::Gather() {
  // What is being committed cannot bring a save now.
  const size_t busy = busy_();
  const size_t wanted = std::min((busy - std::min(busy, committing_)) / 2, batch_max_);
  if (stopping_ || queued_ >= wanted) return;
  const auto enough = [this, wanted]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || queued_ >= wanted;
  };
  gather_.OnGathered(
      mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::FromChrono(gather_.max())));
}

void StoreWriter::CommitAndDeliver(Batch& batch) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<SaveOutcome> outcomes = store_.Commit(batch.records);
  TROTH_CHECK(outcomes.size() == batch.items.size());
  const auto took = std::chrono::steady_clock::now() - start;
  Count(outcomes, std::chrono::duration_cast<std::chrono::microseconds>(took));
  HandOut(batch, outcomes);
}

void StoreWriter::Count(std::span<const SaveOutcome> outcomes, std::chrono::microseconds took) {
  absl::MutexLock lock(&mutex_);
  for (const SaveOutcome& outcome : outcomes) {
    if (outcome.result == SaveResult::kConflict) counters_.conflicts.Add();
    if (outcome.result == SaveResult::kRefused) counters_.refused_saves.Add();
    if (outcome.result == SaveResult::kUnknown) counters_.failed_saves.Add();
  }
  counters_.took.Add(took.count());
  counters_.batch.Add(static_cast<int64_t>(outcomes.size()));
  counters_.waiting.fetch_sub(outcomes.size(), std::memory_order_relaxed);
  gather_.OnCommit(took);
  committing_ -= outcomes.size();
}

void StoreWriter::HandOut(const Batch& batch, std::vector<SaveOutcome>& outcomes) {
  std::vector<std::vector<SaveDone>> results(shards_);
  std::vector<std::string_view> stored;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const SaveResult result = outcomes[i].result;
    if (stored_ && result == SaveResult::kStored) stored.push_back(batch.records[i].gid);
    results[batch.items[i].shard].push_back(
        {batch.items[i].id, batch.records[i].version, result, std::move(outcomes[i].error)});
  }
  for (size_t shard = 0; shard < shards_; ++shard) {
    if (!results[shard].empty()) deliver_(shard, std::move(results[shard]));
  }
  for (const std::string_view gid : stored) stored_(gid);
}

}  // namespace troth
