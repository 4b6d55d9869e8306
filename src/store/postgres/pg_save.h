#pragma once
// The statements that carry a batch of saves out. Private to this folder.

#include <span>
#include <string>
#include <vector>

#include "store/postgres/pg_connection.h"
#include "store/store.h"

namespace troth::postgres {

// A save on its way, and where its outcome goes.
struct Pending {
  const SaveRecord* save = nullptr;
  SaveOutcome* outcome = nullptr;
};

// The texts, which depend on whether trans_global has the column troth_state.
class SaveStatements {
 public:
  explicit SaveStatements(bool has_troth_state);

  // What one database transaction has to do for the batch, whose gids are distinct and sorted. It
  // fails as a whole, with NotFound, when any row is not as its save expects, and with
  // AlreadyExists when a gid or a branch exists.
  std::vector<Query> MakeQueries(std::span<const Pending> batch) const;

 private:
  Query InsertGlobals(std::span<const Pending> batch) const;
  Query UpdateGlobals(std::span<const Pending> batch) const;

  const bool has_troth_state_;
  const std::string insert_globals_text_;
  const std::string update_globals_text_;
  const Statement insert_globals_;
  const Statement update_globals_;
};

}  // namespace troth::postgres
