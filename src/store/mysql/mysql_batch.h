#pragma once
// One database transaction for many saves: all of them or none. Private to this folder.

#include <functional>
#include <map>
#include <optional>
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

  void AppendGlobal(std::string& sql, const SaveRecord& save);
  void AppendBranch(std::string& sql, std::string_view gid, const dtm::BranchRow& row);
  void AppendUpdate(std::string& sql, const SaveRecord& save);
  static void AppendAssignment(std::string& sql, std::string_view column, std::string_view text);
  static void AppendText(std::string& sql, std::string_view text);  // after a comma
  // A literal, in seconds; NULL for nothing. Valid until the batch is gone.
  std::string_view Time(const std::optional<TimePoint>& time);

  // Statements that differ only in what they are for, and those: gids, or ids of branches.
  using Groups = std::map<std::string, std::vector<std::string_view>, std::less<>>;
  static void AddTo(Groups& groups, std::string_view statement, std::string_view item);
  // The updates of one transaction's branches without gid and branch_id, and the ids of each.
  Groups UpdatesOf(const SaveRecord& save);
  // Transactions whose branches of the same ids take the same update.
  struct Alike {
    std::string_view update;
    std::vector<std::string_view> branch_ids;
    std::vector<std::string_view> gids;
  };
  Status UpdateAlike(const Alike& alike);
  // The same update for several, each of one transaction; at least two.
  Status UpdateInPairs(std::span<const Alike* const> single);

  class Insert;
  // Runs a statement that must change exactly `rows` rows.
  Status ExecuteExpecting(std::string_view sql, uint64_t rows);

  Connection& connection_;
  const Literals literals_;
  const dtm::ColumnLimits& limits_;
  std::map<TimePoint, std::string> times_;  // literals made before: mostly the same few seconds
};

// What saves wrote, found out after a COMMIT whose answer is missing. Waits until the transaction
// in question has ended in the server.
enum class Found : uint8_t { kWritten, kNotWritten };
StatusOr<std::vector<Found>> ReadBack(Connection& connection, Saves saves);

// Why a save on its own was not applied.
SaveOutcome Explain(Connection& connection, const SaveRecord& save, const Status& status);

}  // namespace troth::mysql
