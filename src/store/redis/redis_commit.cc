#include <algorithm>
#include <utility>

#include "base/text.h"
#include "store/dtm/rows.h"
#include "store/redis/redis_impl.h"
#include "store/redis/save_arguments.h"
#include "store/redis/save_commands.h"

namespace troth {

using redis::Again;
using redis::Answer;
using redis::Batch;

namespace {

// Bytes of commands sent together: bounds what is held in memory beside the saves themselves.
constexpr size_t kBatchBytes = 8 << 20;

// There is no commit to share: with small batches Redis always has one to work off while others are
// made and their results are worked on (docs/adr/0017).
constexpr size_t kCommitsAtOnce = 3;
constexpr size_t kBatchSaves = 128;

}  // namespace

// One call of Commit.
class RedisStore::Commit_ {
 public:
  Commit_(RedisStore& store, std::span<const SaveRecord> saves)
      : store_(store),
        format_{.scripts = *store.parts_.scripts,
                .prefix = store.options_.prefix,
                .keep_finished = store.options_.keep_finished,
                .keep_calls = store.options_.keep_calls},
        saves_(saves),
        outcomes_(saves.size()) {}

  std::vector<SaveOutcome> Do() {
    redis::SavePlan plan = redis::PlanSaves(saves_);
    SendGroups(plan);
    SendEach(plan.single, Again::kNo);
    // Nobody knows what became of these; one that is sent again finds itself (save_scripts.h).
    SendEach(std::exchange(lost_, {}), Again::kYes);
    store_.NoteCommit(problem_);
    for (size_t i = 0; i < saves_.size(); ++i) {
      if (!IsFinal(saves_[i].index.status)) store_.WakeAt(saves_[i].index.due);
    }
    return std::move(outcomes_);
  }

 private:
  // What the groups leave is added to plan.single.
  void SendGroups(redis::SavePlan& plan) {
    for (size_t sent = 0; sent < plan.groups.size();) {
      const size_t first = sent;
      thread_local Batch batch;  // its memory stays warm
      batch.Clear();
      while (sent < plan.groups.size() && batch.bytes().size() < kBatchBytes) {
        redis::AddGroup(batch, format_, saves_, plan.groups[sent++]);
      }
      const std::vector<Answer> answers = Run(batch, Again::kNo);
      for (size_t i = 0; i < answers.size(); ++i) {
        Settle(plan.groups[first + i], answers[i], plan.single);
      }
    }
  }

  void SendEach(const std::vector<size_t>& which, Again again) {
    for (size_t sent = 0; sent < which.size();) {
      const size_t first = sent;
      Batch batch;
      while (sent < which.size() && batch.bytes().size() < kBatchBytes) {
        redis::AddSave(batch, format_, saves_[which[sent++]], again);
      }
      const std::vector<Answer> answers = Run(batch, again);
      for (size_t i = 0; i < answers.size(); ++i) Settle(which[first + i], answers[i], again);
    }
  }

  std::vector<Answer> Run(const Batch& batch, Again again) {
    const auto repeat = again == Again::kYes ? redis::Repeat::kYes : redis::Repeat::kNo;
    return store_.parts_.client->Run(batch, repeat, redis::Reach::kReplicas);
  }

  void Settle(const redis::SaveGroup& group, const Answer& answer, std::vector<size_t>& single) {
    if (answer.lost || !(answer.status.ok() || answer.refused)) {
      for (const size_t save : group.saves) Settle(save, answer, Again::kNo);
      return;
    }
    if (!answer.replicated) {
      for (const size_t save : group.saves) NotReplicated(save);
    }
    for (const size_t save : redis::LeftOf(group, answer)) single.push_back(save);
  }

  void Settle(size_t save, const Answer& answer, Again again) {
    if (answer.lost) return lost_.push_back(save);
    if (!answer.status.ok()) problem_ = answer.status;
    outcomes_[save] = redis::OutcomeOf(answer, again);
    if (outcomes_[save].result == SaveResult::kStored && !answer.replicated) NotReplicated(save);
  }

  void NotReplicated(size_t save) {
    problem_ = store_.parts_.client->NotReplicated();
    outcomes_[save] = {.result = SaveResult::kUnknown, .error = std::string(Message(problem_))};
  }

  RedisStore& store_;
  const redis::SaveFormat format_;
  const std::span<const SaveRecord> saves_;
  std::vector<SaveOutcome> outcomes_;
  std::vector<size_t> lost_;  // sent, and the answer did not come
  Status problem_;
};

SaveRecord RedisStore::Encode(const Save& save) const {
  return redis::EncodeArguments(save, token_);
}

StatusOr<std::unique_ptr<Transaction>> RedisStore::Decode(const StoredRecord& record) const {
  return dtm::DecodeRows(record);
}

CommitShape RedisStore::commit_shape() const {
  return {.at_once = kCommitsAtOnce, .saves_max = std::min(options_.batch_max, kBatchSaves)};
}

std::vector<SaveOutcome> RedisStore::Commit(std::span<const SaveRecord> saves) {
  return Commit_(*this, saves).Do();
}

void RedisStore::NoteCommit(const Status& problem) {
  absl::MutexLock lock(&mutex_);
  problem_ = problem;
}

Status RedisStore::Health() {
  {
    absl::MutexLock lock(&mutex_);
    if (problem_.ok()) return problem_;
  }
  // A write that needs memory and replicas, as a save does.
  const auto probe = parts_.client->Run(
      {"SET", Key("probe", ""), "1", "PX", "1000"}, redis::Repeat::kYes, redis::Reach::kReplicas);
  NoteCommit(probe.status());
  return probe.status();
}

}  // namespace troth
