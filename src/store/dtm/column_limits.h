#pragma once
// What fits into the columns of the tables at hand (protocol/stores.md 3.6): dtm's are too narrow
// for much of what clients may send, older ones more so. A value that does not fit is refused
// before a statement is made, so that it neither fails a whole batch nor is cut silently.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/dtm/rows.h"

namespace troth::dtm {

enum class Column : uint8_t {
  kGid,
  kQueryPrepared,
  kOptions,
  kCustomData,
  kExtData,
  kResult,
  kRollbackReason,
  kTrothState,
  kUrl,
  kBinData,
  kBranchId,
};
inline constexpr size_t kColumns = 11;

struct ColumnName {
  std::string_view table;
  std::string_view column;
};
ColumnName NameOf(Column column);

class ColumnLimits {
 public:
  static constexpr uint64_t kUnlimited = UINT64_MAX;
  static constexpr uint64_t kMissing = 0;  // the table has no such column

  ColumnLimits();  // unlimited throughout

  // Characters for texts that the store counts so, else bytes.
  void SetCharacters(Column column, uint64_t max);
  void SetBytes(Column column, uint64_t max);
  bool has(Column column) const { return max_[static_cast<size_t>(column)] != kMissing; }

  // OK when all that `changes` writes fits. InvalidArgument names the column and its limit, and
  // says that `troth store widen` helps. What fits only when cut is not told: see Fit.
  Status Check(const Changes& changes) const;

  // rollback_reason explains and decides nothing: as much of it as fits, cut on a UTF-8 boundary.
  std::string_view Fit(Column column, std::string_view text) const;

 private:
  Status CheckText(Column column, std::string_view text) const;
  uint64_t Size(Column column, std::string_view text) const;

  std::array<uint64_t, kColumns> max_{};
  std::array<bool, kColumns> in_bytes_{};
};

}  // namespace troth::dtm
