#include "store/redis/save_commands.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "store/dtm/record_json.h"
#include "store/dtm/rows.h"
#include "store/redis/reply_records.h"
#include "wire/json_writer.h"

namespace troth::redis {
namespace {

// Of one call of a script. Nothing else runs in Redis beside it, and what it is given goes through
// several copies, which should find room in a processor's cache. Branches of one transaction are
// also bounded by what Lua passes on to a command.
constexpr size_t kGroupSaves = 32;
constexpr size_t kGroupBytes = 1 << 20;
constexpr size_t kGroupedBranches = 500;

// About what a record or a row takes without what has no bound.
constexpr size_t kRecordBytes = 640;

// Seconds for EXPIRE: never 0, which would remove the key at once.
std::string SecondsOf(Duration duration) {
  return Cat(std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

// "0": for ever.
std::string KeepOf(Duration duration) {
  return duration == Duration(0) ? "0" : SecondsOf(duration);
}

std::string DueScore(const SaveRecord& save) {
  return IsFinal(save.index.status) ? "" : ScoreOf(save.index.due);
}

// `"name":"text"` as it stands in a record.
std::string Member(std::string_view name, std::string_view text) {
  std::string out = Cat("\"", name, "\":");
  AppendJsonString(out, text);
  return out;
}

// How the record ended before this save made `global` of it: from its owner on, since the options
// that follow are mostly the same.
std::string EndBefore(const dtm::Changes& changes, std::string_view global) {
  const std::string member = Member("owner", changes.global.owner);
  return Member("owner", changes.expected_owner)
      .append(global.substr(global.rfind(member) + member.size()));
}

size_t BytesOf(const dtm::Changes& changes) {
  size_t bytes = kRecordBytes + changes.global.custom_data.size() + changes.global.result.size();
  for (const dtm::BranchRow& row : changes.added) bytes += kRecordBytes + 2 * row.bin_data.size();
  return bytes + kRecordBytes * changes.changed.size();
}

// Whether the scripts for many can do it at all.
bool CanBeGrouped(const SaveRecord& save) {
  const dtm::Changes& changes = *save.changes;
  if (!changes.global.troth_state.empty() || BytesOf(changes) > kGroupBytes) return false;
  if (std::max(changes.added.size(), changes.changed.size()) > kGroupedBranches) return false;
  if (changes.creation) return !IsFinal(save.index.status);
  return changes.added.empty() && !changes.expected_owner.empty() && !changes.global.owner.empty();
}

bool HaveOneGidTwice(std::span<const SaveRecord> saves) {
  absl::flat_hash_set<std::string_view> gids;
  gids.reserve(saves.size());
  return !std::ranges::all_of(
      saves, [&gids](const SaveRecord& save) { return gids.insert(save.gid).second; });
}

// A group that is being filled.
struct OpenGroup {
  SaveGroup group;
  size_t bytes = 0;

  void MoveTo(std::vector<SaveGroup>& groups) {
    if (!group.saves.empty()) groups.push_back({group.creations, std::exchange(group.saves, {})});
    bytes = 0;
  }
};

// The arguments of a script before its own; `keys` are those to follow.
CommandWriter Call(Batch& batch, const Script& script, size_t keys, size_t arguments) {
  CommandWriter command = batch.Begin(3 + keys + arguments);
  command.Add("EVALSHA").Add(script.sha()).Add(Cat(keys));
  return command;
}

void AddCreations(Batch& batch,
                  const SaveFormat& format,
                  std::span<const SaveRecord> saves,
                  const std::vector<size_t>& which) {
  const std::string_view prefix = format.prefix;
  size_t arguments = 5 * which.size();
  for (const size_t i : which) arguments += saves[i].changes->added.size();
  CommandWriter call = Call(batch, format.scripts.create_many, 1 + 3 * which.size(), arguments);
  call.Add({prefix, "_u"});
  for (const size_t i : which) call.Add({prefix, "_b_", saves[i].gid});
  for (const size_t i : which) {
    call.Add({prefix, "_g_", saves[i].gid}).Add({prefix, "_s_", saves[i].gid});
  }
  for (const size_t i : which) call.Add(DueScore(saves[i])).Add(saves[i].gid);
  for (const size_t i : which) {
    call.Add(dtm::GlobalJson(saves[i].changes->global)).Add(WireName(saves[i].index.status));
  }
  for (const size_t i : which) {
    call.Add(Cat(saves[i].changes->added.size()));
    for (const dtm::BranchRow& row : saves[i].changes->added) {
      call.Add(dtm::BranchJson(saves[i].gid, row));
    }
  }
}

// The arguments that both scripts for changes have of the branches: 2, and 3 for each changed one.
// In a row finish_time follows the status.
void AddBranchChanges(CommandWriter& call, const dtm::Changes& changes) {
  call.Add(Cat(changes.branches_before)).Add(Cat(changes.changed.size()));
  for (const dtm::BranchChange& change : changes.changed) {
    const std::string_view status = WireName(change.status);
    call.Add(Cat(change.position)).Add({"\"", FormatTime(change.update_time), "\""});
    if (change.finish_time) {
      const std::string finish_time = FormatTime(*change.finish_time);
      call.Add({R"("status":")", status, R"(","finish_time":")", finish_time, "\""});
    } else {
      call.Add({R"("status":")", status, "\""});
    }
  }
}

void AddChanges(Batch& batch,
                const SaveFormat& format,
                std::span<const SaveRecord> saves,
                const std::vector<size_t>& which) {
  const std::string_view prefix = format.prefix;
  size_t arguments = 1 + 8 * which.size();
  for (const size_t i : which) arguments += 3 * saves[i].changes->changed.size();
  CommandWriter call = Call(batch, format.scripts.change_many, 1 + 3 * which.size(), arguments);
  call.Add({prefix, "_u"});
  for (const std::string_view part : {"_b_", "_s_", "_g_"}) {
    for (const size_t i : which) call.Add({prefix, part, saves[i].gid});
  }
  call.Add(KeepOf(format.keep_finished));
  for (const size_t i : which) {
    const dtm::Changes& changes = *saves[i].changes;
    const std::string global = dtm::GlobalJson(changes.global);
    call.Add(saves[i].gid).Add(DueScore(saves[i])).Add(WireName(saves[i].index.status));
    call.Add(WireName(changes.expected_status)).Add(EndBefore(changes, global)).Add(global);
    AddBranchChanges(call, changes);
  }
}

}  // namespace

SavePlan PlanSaves(std::span<const SaveRecord> saves) {
  SavePlan plan;
  const bool one_by_one = HaveOneGidTwice(saves);
  OpenGroup creations{.group = {.creations = true}}, changes;
  for (size_t i = 0; i < saves.size(); ++i) {
    if (one_by_one || !CanBeGrouped(saves[i])) {
      plan.single.push_back(i);
      continue;
    }
    OpenGroup& open = saves[i].changes->creation ? creations : changes;
    const size_t bytes = BytesOf(*saves[i].changes);
    if (open.group.saves.size() == kGroupSaves || open.bytes + bytes > kGroupBytes) {
      open.MoveTo(plan.groups);
    }
    open.group.saves.push_back(i);
    open.bytes += bytes;
  }
  creations.MoveTo(plan.groups);
  changes.MoveTo(plan.groups);
  return plan;
}

void AddGroup(Batch& batch,
              const SaveFormat& format,
              std::span<const SaveRecord> saves,
              const SaveGroup& group) {
  const auto add = group.creations ? AddCreations : AddChanges;
  add(batch, format, saves, group.saves);
}

std::vector<size_t> LeftOf(const SaveGroup& group, const Answer& answer) {
  if (answer.refused) return group.saves;
  if (group.creations) {
    return Text(answer.reply.get()) == "OK" ? std::vector<size_t>() : group.saves;
  }
  std::vector<size_t> left;
  for (const redisReply* number : Elements(answer.reply.get())) {
    left.push_back(group.saves.at(static_cast<size_t>(Integer(number) - 1)));
  }
  return left;
}

void AddSave(Batch& batch, const SaveFormat& format, const SaveRecord& save, Again again) {
  const dtm::Changes& changes = *save.changes;
  const std::string keep_finished = KeepOf(format.keep_finished);
  const bool expires = IsFinal(save.index.status) && keep_finished != "0";
  const Script& script = changes.creation ? format.scripts.create : format.scripts.change;
  const size_t expectations = changes.creation ? 0 : 4 + 3 * changes.changed.size();
  CommandWriter call = Call(batch, script, 5, 8 + expectations + changes.added.size());
  call.Add({format.prefix, "_g_", save.gid}).Add({format.prefix, "_b_", save.gid});
  call.Add({format.prefix, "_u"});
  call.Add({format.prefix, "_s_", save.gid}).Add({format.prefix, "_t_", save.gid});
  call.Add(save.gid).Add(WireName(save.index.status)).Add(DueScore(save));
  call.Add(expires ? keep_finished : "0").Add(again == Again::kYes ? "1" : "0");
  call.Add(dtm::GlobalJson(changes.global)).Add(changes.global.troth_state);
  call.Add(expires ? keep_finished : SecondsOf(format.keep_calls));
  if (!changes.creation) {
    const bool owned = !changes.expected_owner.empty();
    call.Add(WireName(changes.expected_status));
    call.Add(owned ? Member("owner", changes.expected_owner) : "");
    AddBranchChanges(call, changes);
  }
  for (const dtm::BranchRow& row : changes.added) call.Add(dtm::BranchJson(save.gid, row));
}

SaveOutcome OutcomeOf(const Answer& answer, Again again) {
  if (!answer.status.ok()) {
    return {.result = SaveResult::kUnknown, .error = std::string(Message(answer.status))};
  }
  if (Text(answer.reply.get()) == "OK") return {};
  if (again == Again::kNo) return {.result = SaveResult::kConflict};
  // It may have been stored the first time and followed by another server's save.
  return {.result = SaveResult::kUnknown,
          .error = "the connection to Redis broke, and another server went on meanwhile"};
}

}  // namespace troth::redis
