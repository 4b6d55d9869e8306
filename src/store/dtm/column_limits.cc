#include "store/dtm/column_limits.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace troth::dtm {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

uint64_t Characters(std::string_view text) {
  return static_cast<uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

}  // namespace

ColumnName NameOf(Column column) {
  switch (column) {
    case Column::kGid: return {"trans_global", "gid"};
    case Column::kQueryPrepared: return {"trans_global", "query_prepared"};
    case Column::kOptions: return {"trans_global", "options"};
    case Column::kCustomData: return {"trans_global", "custom_data"};
    case Column::kExtData: return {"trans_global", "ext_data"};
    case Column::kResult: return {"trans_global", "result"};
    case Column::kRollbackReason: return {"trans_global", "rollback_reason"};
    case Column::kTrothState: return {"trans_global", "troth_state"};
    case Column::kUrl: return {"trans_branch_op", "url"};
    case Column::kBinData: return {"trans_branch_op", "bin_data"};
    case Column::kBranchId: return {"trans_branch_op", "branch_id"};
  }
  std::abort();  // not one of the values: memory is corrupt
}

ColumnLimits::ColumnLimits() { max_.fill(kUnlimited); }

void ColumnLimits::SetCharacters(Column column, uint64_t max) {
  max_[static_cast<size_t>(column)] = max;
  in_bytes_[static_cast<size_t>(column)] = false;
}

void ColumnLimits::SetBytes(Column column, uint64_t max) {
  max_[static_cast<size_t>(column)] = max;
  in_bytes_[static_cast<size_t>(column)] = true;
}

uint64_t ColumnLimits::Size(Column column, std::string_view text) const {
  return in_bytes_[static_cast<size_t>(column)] ? text.size() : Characters(text);
}

Status ColumnLimits::CheckText(Column column, std::string_view text) const {
  const uint64_t max = max_[static_cast<size_t>(column)];
  if (text.size() <= max) return OkStatus();  // characters are no more than bytes
  const uint64_t size = Size(column, text);
  if (size <= max) return OkStatus();
  const ColumnName name = NameOf(column);
  return InvalidArgument(Cat(name.table,
                             '.',
                             name.column,
                             " of the store holds ",
                             max,
                             in_bytes_[static_cast<size_t>(column)] ? " bytes" : " characters",
                             ", this one has ",
                             size,
                             "; send less, or have the operator run: troth store widen"));
}

Status ColumnLimits::Check(const Changes& changes) const {
  const GlobalRow& row = changes.global;
  TROTH_RETURN_IF_ERROR(CheckText(Column::kGid, row.gid));
  TROTH_RETURN_IF_ERROR(CheckText(Column::kQueryPrepared, row.query_prepared));
  TROTH_RETURN_IF_ERROR(CheckText(Column::kOptions, row.options));
  TROTH_RETURN_IF_ERROR(CheckText(Column::kCustomData, row.custom_data));
  TROTH_RETURN_IF_ERROR(CheckText(Column::kExtData, row.ext_data));
  TROTH_RETURN_IF_ERROR(CheckText(Column::kResult, row.result));
  for (const BranchRow& branch : changes.added) {
    TROTH_RETURN_IF_ERROR(CheckText(Column::kBranchId, branch.branch_id));
    TROTH_RETURN_IF_ERROR(CheckText(Column::kUrl, branch.url));
    TROTH_RETURN_IF_ERROR(CheckText(Column::kBinData, branch.bin_data));
  }
  return OkStatus();
}

std::string_view ColumnLimits::Fit(Column column, std::string_view text) const {
  const uint64_t max = max_[static_cast<size_t>(column)];
  if (text.size() <= max || Size(column, text) <= max) return text;
  size_t end = 0;
  for (uint64_t used = 0; end < text.size();) {
    size_t next = end + 1;
    while (next < text.size() && IsContinuation(text[next])) ++next;
    used += in_bytes_[static_cast<size_t>(column)] ? next - end : 1;
    if (used > max) break;
    end = next;
  }
  return text.substr(0, end);
}

}  // namespace troth::dtm
