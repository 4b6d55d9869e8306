#pragma once
// dtm's rows in MySQL's SQL: values as literals, rows of answers as values. The only place where
// texts of clients get into a statement. Private to this folder.

#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "store/dtm/column_limits.h"
#include "store/dtm/local_time.h"
#include "store/dtm/rows.h"
#include "store/mysql/mysql_connection.h"

namespace troth::mysql {

// Makes literals for the sessions that Connection::Open sets up.
class Literals {
 public:
  explicit Literals(const dtm::LocalTime& local) : local_(local) {}

  static std::string Text(std::string_view text);
  static void AppendText(std::string& sql, std::string_view text);
  static void AppendBytes(std::string& sql, std::string_view bytes);
  std::string Time(TimePoint time) const;                        // seconds; what is between is cut
  std::string Time(const std::optional<TimePoint>& time) const;  // or NULL
  // "('a','b')"; never empty, since SQL has no empty list: one value that no row has, then.
  static std::string List(std::span<const std::string_view> texts);
  static std::string List(std::span<const uint64_t> numbers);

 private:
  const dtm::LocalTime& local_;
};

// "status IN ('prepared', ...)" of transactions that have not ended, and of those that have.
inline constexpr std::string_view kUnfinished = "status IN ('prepared','submitted','aborting')";
inline constexpr std::string_view kFinished = "status IN ('succeed','failed')";

// Questions for whole records that each see one moment, since they are one statement: the rows of
// trans_global that `condition` selects and then their branches. `has_state`: there is a column
// troth_state.
std::string RecordsQuery(std::string_view condition, bool has_state);
// The records in the answer, by gid.
std::map<std::string, dtm::Record> ReadRecords(std::vector<Row> rows, const dtm::LocalTime& local);

}  // namespace troth::mysql
