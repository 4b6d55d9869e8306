#include "store/mysql/mysql_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace troth::mysql {
namespace {

// Columns of an answer: what kind of row it is, its id and gid, then these of each kind.
constexpr size_t kKind = 0, kId = 1, kGid = 2, kFirst = 3;
constexpr std::array<std::string_view, 17> kGlobalColumns = {"trans_type",
                                                             "status",
                                                             "query_prepared",
                                                             "protocol",
                                                             "create_time",
                                                             "update_time",
                                                             "finish_time",
                                                             "rollback_time",
                                                             "options",
                                                             "custom_data",
                                                             "ext_data",
                                                             "result",
                                                             "rollback_reason",
                                                             "next_cron_interval",
                                                             "next_cron_time",
                                                             "owner",
                                                             "troth_state"};
constexpr std::array<std::string_view, 8> kBranchColumns = {
    "branch_id", "op", "status", "url", "bin_data", "create_time", "update_time", "finish_time"};

// As bytes, because a UNION takes no mix of collations.
void AppendColumn(std::string& sql, std::string_view table, std::string_view column) {
  CatTo(sql, ", CAST(", table, ".", column, " AS BINARY)");
}

std::string TakeText(Value& value) { return value ? *std::move(value) : std::string(); }

// In UTF-8 no byte of a longer character looks like one of these.
constexpr auto kEscaped = [] {
  std::array<bool, 256> escaped{};
  for (const unsigned char c : {'\0', '\n', '\r', '\x1a', '\'', '"', '\\'}) escaped[c] = true;
  return escaped;
}();
bool IsEscaped(char c) { return kEscaped[static_cast<unsigned char>(c)]; }

void AppendEscaped(std::string& sql, char c) {
  sql += '\\';
  switch (c) {
    case '\0': sql += '0'; return;
    case '\n': sql += 'n'; return;
    case '\r': sql += 'r'; return;
    case '\x1a': sql += 'Z'; return;
    default: sql += c;
  }
}

// Hands out the columns of a row in order.
class Columns {
 public:
  Columns(Row& row, const dtm::LocalTime& local) : row_(row), local_(local) {}

  std::string Text() { return TakeText(row_[next_++]); }
  std::optional<TimePoint> Time() {
    const Value& value = row_[next_++];
    return value ? local_.Parse(*value) : std::nullopt;
  }
  int64_t Integer() { return ParseInt(Text()).value_or(0); }

 private:
  Row& row_;
  const dtm::LocalTime& local_;
  size_t next_ = kFirst;
};

dtm::GlobalRow ReadGlobal(Row& row, const dtm::LocalTime& local) {
  dtm::GlobalRow global;
  global.id = static_cast<uint64_t>(ParseInt(row[kId].value_or("")).value_or(0));
  global.gid = TakeText(row[kGid]);
  Columns columns(row, local);
  global.trans_type = columns.Text();
  global.status = columns.Text();
  global.query_prepared = columns.Text();
  global.protocol = columns.Text();
  global.create_time = columns.Time();
  global.update_time = columns.Time();
  global.finish_time = columns.Time();
  global.rollback_time = columns.Time();
  global.options = columns.Text();
  global.custom_data = columns.Text();
  global.ext_data = columns.Text();
  global.result = columns.Text();
  global.rollback_reason = columns.Text();
  global.next_cron_interval = columns.Integer();
  global.next_cron_time = columns.Time();
  global.owner = columns.Text();
  global.troth_state = columns.Text();
  return global;
}

dtm::BranchRow ReadBranch(Row& row, const dtm::LocalTime& local) {
  dtm::BranchRow branch;
  Columns columns(row, local);
  branch.branch_id = columns.Text();
  branch.op = columns.Text();
  branch.status = columns.Text();
  branch.url = columns.Text();
  branch.bin_data = columns.Text();
  branch.create_time = columns.Time();
  branch.update_time = columns.Time();
  branch.finish_time = columns.Time();
  return branch;
}

}  // namespace

std::string Literals::Text(std::string_view text) {
  std::string out;
  AppendText(out, text);
  return out;
}

void Literals::AppendText(std::string& sql, std::string_view text) {
  sql += '\'';
  // Most texts have nothing to escape and go in whole.
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    const char* const special = std::find_if(at, end, IsEscaped);
    sql.append(at, special);
    if (special == end) break;
    AppendEscaped(sql, *special);
    at = special + 1;
  }
  sql += '\'';
}

void Literals::AppendBytes(std::string& sql, std::string_view bytes) {
  sql += "_binary";
  AppendText(sql, bytes);
}

std::string Literals::Time(TimePoint time) const { return Cat('\'', local_.Format(time), '\''); }

std::string Literals::Time(const std::optional<TimePoint>& time) const {
  return time ? Time(*time) : "NULL";
}

std::string Literals::List(std::span<const std::string_view> texts) {
  std::string out = "(";
  for (const std::string_view text : texts) {
    if (out.size() > 1) out += ',';
    AppendText(out, text);
  }
  return texts.empty() ? "(NULL)" : Cat(out, ')');
}

std::string Literals::List(std::span<const uint64_t> numbers) {
  std::string out = "(";
  for (const uint64_t number : numbers) CatTo(out, out.size() > 1 ? "," : "", number);
  return numbers.empty() ? "(NULL)" : Cat(out, ')');
}

std::string RecordsQuery(std::string_view condition, bool has_state) {
  std::string globals = "SELECT 0, g.id, CAST(g.gid AS BINARY)";
  for (const std::string_view column : kGlobalColumns) {
    if (column != "troth_state" || has_state) {
      AppendColumn(globals, "g", column);
    } else {
      globals += ", ''";
    }
  }
  std::string branches = "SELECT 1, b.id, CAST(g.gid AS BINARY)";
  for (const std::string_view column : kBranchColumns) AppendColumn(branches, "b", column);
  for (size_t i = kBranchColumns.size(); i < kGlobalColumns.size(); ++i) branches += ", ''";
  const std::string selected = Cat("(SELECT * FROM trans_global WHERE ", condition, ") g");
  return Cat(globals,
             " FROM ",
             selected,
             " UNION ALL ",
             branches,
             " FROM ",
             selected,
             " JOIN trans_branch_op b ON b.gid = g.gid");
}

std::map<std::string, dtm::Record> ReadRecords(std::vector<Row> rows, const dtm::LocalTime& local) {
  // Sorted here: the server would fill a table on disk for it.
  const auto position = [](const Row& row) {
    return std::pair(row[kKind], ParseInt(row[kId].value_or("")));
  };
  std::ranges::sort(rows, {}, position);
  std::map<std::string, dtm::Record> records;
  for (Row& row : rows) {
    if (row[kKind] == "0") {
      dtm::GlobalRow global = ReadGlobal(row, local);
      std::string gid = global.gid;
      records[std::move(gid)].global = std::move(global);
    } else if (const auto found = records.find(TakeText(row[kGid])); found != records.end()) {
      found->second.branches.push_back(ReadBranch(row, local));
    }
  }
  return records;
}

}  // namespace troth::mysql
