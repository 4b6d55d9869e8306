#pragma once
// How transactions are read: the statements, and what becomes of their rows. Private to this
// folder.

#include <string>
#include <vector>

#include "store/dtm/rows.h"
#include "store/postgres/pg_connection.h"
#include "store/postgres/pg_values.h"
#include "store/store.h"

namespace troth::postgres {

// Statements that hand out rows of trans_global or trans_branch_op, for MakeRecords. Their texts
// depend on whether there is a column troth_state.
class ReadStatements {
 public:
  explicit ReadStatements(bool has_troth_state);
  ReadStatements(const ReadStatements&) = delete;
  ReadStatements& operator=(const ReadStatements&) = delete;

 private:
  const std::string load_text_;
  const std::string branches_of_text_;
  const std::string claim_text_;
  const std::string list_text_;
  const std::string list_branches_text_;

 public:
  // $1 gid
  const Statement load;
  // $1 gids
  const Statement branches_of;
  // $1 now, $2 next time due, $3 token of the claim, $4 how many. Longest due first.
  const Statement claim;
  // $1 below this id, $2 records looked at, $3 status, $4 type, $5 created from, $6 created to
  // (each NULL for any), $7 how many. Newest first.
  const Statement list;
  // The branches of the same.
  const Statement list_branches;
};

// A record for each row of `globals`, in its order, with its branches in theirs.
std::vector<StoredRecord> MakeRecords(const Result& globals,
                                      const Result& branches,
                                      bool has_troth_state);

}  // namespace troth::postgres
