#include <algorithm>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "store/dtm/record_json.h"
#include "store/dtm/rows.h"
#include "store/redis/redis_impl.h"
#include "store/redis/reply_records.h"
#include "wire/json_writer.h"

namespace troth {

using redis::Again;

namespace {

// Bytes of commands sent together: bounds what is held in memory beside the saves themselves.
constexpr size_t kBatchBytes = 8 << 20;

// Seconds for EXPIRE: never 0, which would remove the key at once.
std::string SecondsOf(Duration duration) {
  return Cat(std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

// `"name":"text"` as it stands in a record.
std::string Member(std::string_view name, std::string_view text) {
  std::string out = Cat("\"", name, "\":");
  AppendJsonString(out, text);
  return out;
}

std::string TimeJson(TimePoint time) { return Cat("\"", FormatTime(time), "\""); }

// In a branch's row finish_time follows the status.
std::string StatusMembers(const dtm::BranchChange& change) {
  std::string members = Member("status", WireName(change.status));
  if (change.finish_time) CatTo(members, ",\"finish_time\":", TimeJson(*change.finish_time));
  return members;
}

// What scripts.cc has as the arguments of kChange after those of kCreate.
void AppendExpectations(const dtm::Changes& changes, std::vector<std::string>& arguments) {
  arguments.emplace_back(WireName(changes.expected_status));
  arguments.push_back(changes.expected_owner.empty() ? ""
                                                     : Member("owner", changes.expected_owner));
  arguments.push_back(Cat(changes.branches_before));
  arguments.push_back(Cat(changes.changed.size()));
  for (const dtm::BranchChange& change : changes.changed) {
    arguments.push_back(Cat(change.position));
    arguments.push_back(StatusMembers(change));
    arguments.push_back(TimeJson(change.update_time));
  }
}

SaveOutcome OutcomeOf(const redis::Answer& answer, Again again) {
  if (!answer.status.ok()) {
    return {.result = SaveResult::kUnknown, .error = std::string(Message(answer.status))};
  }
  if (redis::Text(answer.reply.get()) == "OK") return {};
  if (again == Again::kNo) return {.result = SaveResult::kConflict};
  // It may have been stored the first time and followed by another server's save.
  return {.result = SaveResult::kUnknown,
          .error = "the connection to Redis broke, and another server went on meanwhile"};
}

}  // namespace

SaveRecord RedisStore::Encode(const Save& save) const {
  return dtm::EncodeRows(save, token_, dtm::MakeWhole::kAlways);
}

StatusOr<std::unique_ptr<Transaction>> RedisStore::Decode(const StoredRecord& record) const {
  return dtm::DecodeRows(record);
}

void RedisStore::AddSave(redis::Batch& batch, const SaveRecord& save, Again again) const {
  const dtm::Changes& changes = *save.changes;
  const bool finished = IsFinal(save.index.status);
  const bool expires = finished && options_.keep_finished != Duration(0);
  const std::string keep_finished = expires ? SecondsOf(options_.keep_finished) : "0";
  std::vector<std::string> arguments;
  arguments.reserve(12 + 3 * changes.changed.size() + changes.added.size());
  arguments.push_back(save.gid);
  arguments.emplace_back(WireName(save.index.status));
  arguments.push_back(finished ? "" : redis::ScoreOf(save.index.due));
  arguments.push_back(keep_finished);
  arguments.emplace_back(again == Again::kYes ? "1" : "0");
  arguments.push_back(dtm::GlobalJson(changes.global));
  arguments.push_back(changes.global.troth_state);
  arguments.push_back(expires ? keep_finished : SecondsOf(options_.keep_calls));
  if (!changes.creation) AppendExpectations(changes, arguments);
  for (const dtm::BranchRow& row : changes.added) {
    arguments.push_back(dtm::BranchJson(save.gid, row));
  }
  const redis::Scripts& scripts = *parts_.scripts;
  AddScript(batch, changes.creation ? scripts.create : scripts.change, KeysOf(save.gid), arguments);
}

std::vector<SaveOutcome> RedisStore::Commit(std::span<const SaveRecord> saves) {
  std::vector<SaveOutcome> outcomes(saves.size());
  std::vector<size_t> all(saves.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const std::vector<size_t> lost = Send(saves, all, Again::kNo, outcomes);
  // Nobody knows what became of these; one that is sent again finds itself (scripts.cc).
  if (!lost.empty()) Send(saves, lost, Again::kYes, outcomes);
  return outcomes;
}

std::vector<size_t> RedisStore::Send(std::span<const SaveRecord> saves,
                                     const std::vector<size_t>& which,
                                     Again again,
                                     std::vector<SaveOutcome>& outcomes) {
  const auto repeat = again == Again::kYes ? redis::Repeat::kYes : redis::Repeat::kNo;
  std::vector<size_t> lost;
  Status problem;
  for (size_t sent = 0; sent < which.size();) {
    redis::Batch batch;
    const size_t first = sent;
    while (sent < which.size() && batch.bytes().size() < kBatchBytes) {
      AddSave(batch, saves[which[sent++]], again);
    }
    const std::vector<redis::Answer> answers =
        parts_.client->Run(batch, repeat, redis::Reach::kReplicas);
    for (size_t i = 0; i < answers.size(); ++i) {
      const size_t save = which[first + i];
      if (answers[i].lost) {
        lost.push_back(save);
        continue;
      }
      if (!answers[i].status.ok()) problem = answers[i].status;
      outcomes[save] = OutcomeOf(answers[i], again);
      if (outcomes[save].result == SaveResult::kStored && !answers[i].replicated) {
        problem = parts_.client->NotReplicated();
        outcomes[save] = {.result = SaveResult::kUnknown, .error = std::string(Message(problem))};
      }
      if (!IsFinal(saves[save].index.status)) WakeAt(saves[save].index.due);
    }
  }
  NoteCommit(problem);
  return lost;
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
