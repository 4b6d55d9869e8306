#pragma once
// One database transaction for many saves: all of them or none. Private to this folder.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/dtm/column_limits.h"
#include "store/dtm/local_time.h"
#include "store/mysql/mysql_connection.h"
#include "store/mysql/mysql_rows.h"
#include "store/store.h"

namespace troth::mysql {

// Saves in the order of their gids, each gid once.
using Saves = std::span<const SaveRecord* const>;

enum class Applied : uint8_t {
  kAll,      // committed
  kNone,     // some save may not be applied (a conflict), or a value is refused: nothing was done
  kFailed,   // the store is not well: nothing was done
  kUnknown,  // the answer to COMMIT is missing: all of it was done or nothing
};
struct BatchResult {
  Applied applied = Applied::kAll;
  Status status{};  // kNone: what the server said, OK when rows were not as expected
};

class Batch {
 public:
  Batch(Connection& connection, const dtm::LocalTime& local, const dtm::ColumnLimits& limits)
      : connection_(connection), literals_(local), limits_(limits) {}

  BatchResult Apply(Saves saves);

 private:
  // Each: OK, or Aborted-like errors of the server, or kConflict's mark (see NotAsExpected).
  Status ApplyAll(Saves saves);
  Status InsertGlobals(Saves saves);
  Status UpdateGlobals(Saves saves);
  Status CountBranches(Saves saves);
  Status InsertBranches(Saves saves);
  Status UpdateBranches(Saves saves);

  std::string GlobalValues(const SaveRecord& save) const;
  std::string BranchValues(const SaveRecord& save, const dtm::BranchRow& row) const;
  std::string Assignments(const SaveRecord& save) const;
  std::string FixedAssignments(const dtm::GlobalRow& row) const;
  // Runs "INSERT INTO ... VALUES (..),(..)", in several statements when one would be too long.
  class Insert;
  // Runs a statement that must change exactly `rows` rows.
  Status ExecuteExpecting(std::string_view sql, uint64_t rows);

  Connection& connection_;
  const Literals literals_;
  const dtm::ColumnLimits& limits_;
};

// What saves wrote, found out after a COMMIT whose answer is missing. Waits until the transaction
// in question has ended in the server.
enum class Found : uint8_t { kWritten, kNotWritten };
StatusOr<std::vector<Found>> ReadBack(Connection& connection,
                                      const dtm::LocalTime& local,
                                      Saves saves);

// Why a save on its own was not applied.
SaveOutcome Explain(Connection& connection,
                    const dtm::LocalTime& local,
                    const SaveRecord& save,
                    const Status& status);

}  // namespace troth::mysql
