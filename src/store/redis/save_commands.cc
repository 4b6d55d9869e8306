#include "store/redis/save_commands.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/text.h"
#include "store/redis/save_arguments.h"

namespace troth::redis {
namespace {

// Of one call of a script. Nothing else runs in Redis beside it, and what it is given goes through
// several copies, which should find room in a processor's cache.
constexpr size_t kGroupSaves = 32;
// About what the keys of a save take.
constexpr size_t kKeysBytes = 160;

// Seconds for EXPIRE: never 0, which would remove the key at once.
std::string SecondsOf(Duration duration) {
  return Cat(std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

// "0": for ever.
std::string KeepOf(Duration duration) {
  return duration == Duration(0) ? "0" : SecondsOf(duration);
}

bool IsCreation(const SaveRecord& save) { return save.expected_version == 0; }

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

// What a group's saves give to its script, together.
struct GroupSize {
  size_t arguments = 0;
  size_t bytes = 0;
};
GroupSize SizeOf(std::span<const SaveRecord> saves, const SaveGroup& group) {
  GroupSize size;
  for (const size_t i : group.saves) {
    size.arguments += saves[i].script.count;
    size.bytes += saves[i].script.text.size();
  }
  return size;
}

}  // namespace

SavePlan PlanSaves(std::span<const SaveRecord> saves) {
  SavePlan plan;
  const bool one_by_one = HaveOneGidTwice(saves);
  OpenGroup creations{.group = {.creations = true}}, changes;
  for (size_t i = 0; i < saves.size(); ++i) {
    if (one_by_one || saves[i].script.alone) {
      plan.single.push_back(i);
      continue;
    }
    OpenGroup& open = IsCreation(saves[i]) ? creations : changes;
    const size_t bytes = saves[i].script.text.size();
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
  const std::string_view prefix = format.prefix;
  const Script& script = group.creations ? format.scripts.create_many : format.scripts.change_many;
  const GroupSize size = SizeOf(saves, group);
  batch.Reserve(batch.bytes().size() + size.bytes + kKeysBytes * group.saves.size());
  const size_t common = group.creations ? 0 : 1;
  CommandWriter call = Call(batch, script, 1 + 3 * group.saves.size(), common + size.arguments);
  call.Add({prefix, "_u"});
  for (const std::string_view part : {"_b_", "_s_", "_g_"}) {
    for (const size_t i : group.saves) call.Add({prefix, part, saves[i].gid});
  }
  if (!group.creations) call.Add(KeepOf(format.keep_finished));
  for (const size_t i : group.saves) call.AddEncoded(saves[i].script.text);
}

std::vector<size_t> LeftOf(const SaveGroup& group, const Answer& answer) {
  if (answer.refused) return group.saves;
  std::vector<size_t> left;
  for (const redisReply* number : Elements(answer.reply.get())) {
    left.push_back(group.saves.at(static_cast<size_t>(Integer(number) - 1)));
  }
  return left;
}

void AddSave(Batch& batch, const SaveFormat& format, const SaveRecord& save, Again again) {
  const std::string keep_finished = KeepOf(format.keep_finished);
  const bool expires = IsFinal(save.index.status) && keep_finished != "0";
  const Script& script = IsCreation(save) ? format.scripts.create : format.scripts.change;
  CommandWriter call = Call(batch, script, 5, 4 + save.script.count);
  call.Add({format.prefix, "_g_", save.gid}).Add({format.prefix, "_b_", save.gid});
  call.Add({format.prefix, "_u"});
  call.Add({format.prefix, "_s_", save.gid}).Add({format.prefix, "_t_", save.gid});
  call.Add(expires ? keep_finished : "0").Add(again == Again::kYes ? "1" : "0");
  call.Add(expires ? keep_finished : SecondsOf(format.keep_calls)).Add(save.script.troth_state);
  call.AddEncoded(save.script.text);
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
