#pragma once
// Values as PostgreSQL sends them in binary: parameters of a statement, whole columns as arrays for
// unnest(), and the cells of a result. Private to this folder.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

struct pg_result;

namespace troth::postgres {

// Types of the wire, by their fixed numbers (pg_type.dat).
enum class Type : uint32_t {
  kBytes = 17,
  kInt8 = 20,
  kInt4 = 23,
  kText = 25,
  kTime = 1184,  // timestamp with time zone
};

// A column of values for unnest($1::text[]).
class Array {
 public:
  explicit Array(Type element) : element_(element) {}

  void Text(std::string_view value);  // kText, kBytes
  void Int(int64_t value);            // kInt4, kInt8
  void Time(TimePoint value);         // kTime
  void Null();

  Type element() const { return element_; }
  // The array's bytes on the wire. Nothing can be added after it.
  std::string Take() &&;

 private:
  Type element_;
  uint32_t count_ = 0;
  bool has_null_ = false;
  static constexpr size_t kHeadBytes = 20;
  std::string bytes_ = std::string(kHeadBytes, '\0');  // the head is known at the end
};

// The parameters $1, $2, ... of one statement, in order.
class Parameters {
 public:
  Parameters& Text(std::string_view value);
  Parameters& Bytes(std::string_view value);
  Parameters& Int(int64_t value);  // int8
  Parameters& Time(TimePoint value);
  Parameters& Null(Type type);
  Parameters& Add(Array&& array);

  struct Parameter {
    uint32_t type = 0;
    std::string bytes{};
    bool is_null = false;
  };
  const std::vector<Parameter>& all() const { return all_; }

 private:
  std::vector<Parameter> all_;
};

// The rows that a statement returned, and how many it changed. Views live as long as the result. A
// cell of another type than asked for reads as zero or empty.
class Result {
 public:
  Result() = default;
  explicit Result(pg_result* owned);
  ~Result();
  Result(Result&& other) noexcept;
  Result& operator=(Result&& other) noexcept;

  size_t rows() const;
  // Rows inserted, changed or deleted.
  uint64_t affected() const;
  bool IsNull(size_t row, size_t column) const;
  std::string_view Text(size_t row, size_t column) const;  // text and bytes; null: empty
  int64_t Int(size_t row, size_t column) const;            // int2, int4, int8; null: 0
  bool Bool(size_t row, size_t column) const;
  TimePoint Time(size_t row, size_t column) const;  // null: 1970
  std::optional<TimePoint> OptionalTime(size_t row, size_t column) const;

 private:
  pg_result* result_ = nullptr;
};

}  // namespace troth::postgres
