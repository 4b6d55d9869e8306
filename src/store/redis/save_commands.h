#pragma once
// How saves become calls of the scripts that save (save_scripts.h), and what the answers say.
//
// Pure functions; any thread.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "store/redis/client.h"
#include "store/redis/scripts.h"
#include "store/store.h"

namespace troth::redis {

// Whether a save is sent because the answer to it was lost.
enum class Again : uint8_t { kNo, kYes };

// What all commands of a store have in common.
struct SaveFormat {
  const Scripts& scripts;
  std::string prefix;      // of the keys
  Duration keep_finished;  // 0: for ever
  Duration keep_calls;
};

// Saves of one kind that one call carries out together, by their places in a batch.
struct SaveGroup {
  bool creations = false;
  std::vector<size_t> saves;
};

// How a batch is sent: groups, in any order, and what goes one by one, in this order.
struct SavePlan {
  std::vector<SaveGroup> groups;
  std::vector<size_t> single;
};

// Nothing is grouped when two of them are of one transaction: the second must see the first.
SavePlan PlanSaves(std::span<const SaveRecord> saves);

// Appends the command of a group.
void AddGroup(Batch& batch,
              const SaveFormat& format,
              std::span<const SaveRecord> saves,
              const SaveGroup& group);

// Those that the call of the group has left alone, or all when it was refused: they are to be sent
// one by one, which tells why. The others are stored. The call was answered.
std::vector<size_t> LeftOf(const SaveGroup& group, const Answer& answer);

// Appends the command of one save.
void AddSave(Batch& batch, const SaveFormat& format, const SaveRecord& save, Again again);

// What became of a save that was sent alone; its answer was not lost.
SaveOutcome OutcomeOf(const Answer& answer, Again again);

}  // namespace troth::redis
