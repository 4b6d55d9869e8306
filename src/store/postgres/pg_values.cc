#include "store/postgres/pg_values.h"

#include <libpq-fe.h>

#include <utility>

#include "base/text.h"

namespace troth::postgres {
namespace {

// PostgreSQL counts time from 2000-01-01 00:00 UTC.
constexpr int64_t kEpochMicros = 946'684'800'000'000;

// Writes the last `bytes` bytes of `value`, at most 8.
void WriteBigEndian(char* out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    *out++ = static_cast<char>(value >> shift);
  }
}
void PutBigEndian(std::string& out, uint64_t value, int bytes) {
  char text[8];
  WriteBigEndian(text, value, bytes);
  out.append(text, static_cast<size_t>(bytes));
}
void PutInt4(std::string& out, uint32_t value) { PutBigEndian(out, value, 4); }
void PutInt8(std::string& out, int64_t value) {
  PutBigEndian(out, static_cast<uint64_t>(value), 8);
}

int64_t WireTime(TimePoint time) { return ToMicros(time) - kEpochMicros; }

// A signed big-endian number of 1, 2, 4 or 8 bytes.
int64_t ReadInt(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 8) return 0;
  auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<signed char>(bytes[0])));
  for (size_t i = 1; i < bytes.size(); ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return static_cast<int64_t>(value);
}

// The number of the array type whose elements have this type.
uint32_t ArrayType(Type element) {
  switch (element) {
    case Type::kBytes: return 1001;
    case Type::kInt8: return 1016;
    case Type::kInt4: return 1007;
    case Type::kText: return 1009;
    case Type::kTime: return 1185;
  }
  return 0;
}

}  // namespace

void Array::Text(std::string_view value) {
  PutInt4(bytes_, static_cast<uint32_t>(value.size()));
  bytes_ += value;
  ++count_;
}

void Array::Int(int64_t value) {
  const int bytes = element_ == Type::kInt4 ? 4 : 8;
  PutInt4(bytes_, static_cast<uint32_t>(bytes));
  PutBigEndian(bytes_, static_cast<uint64_t>(value), bytes);
  ++count_;
}

void Array::Time(TimePoint value) {
  PutInt4(bytes_, 8);
  PutInt8(bytes_, WireTime(value));
  ++count_;
}

void Array::Null() {
  PutInt4(bytes_, UINT32_MAX);
  has_null_ = true;
  ++count_;
}

std::string Array::Take() && {
  // dimensions, nulls, type, count, the first index
  const uint32_t head[] = {1, has_null_ ? 1U : 0U, static_cast<uint32_t>(element_), count_, 1};
  static_assert(sizeof(head) == kHeadBytes);
  char* out = bytes_.data();
  for (const uint32_t number : head) {
    WriteBigEndian(out, number, 4);
    out += 4;
  }
  return std::move(bytes_);
}

Parameters& Parameters::Text(std::string_view value) {
  all_.push_back({static_cast<uint32_t>(Type::kText), std::string(value)});
  return *this;
}
Parameters& Parameters::Bytes(std::string_view value) {
  all_.push_back({static_cast<uint32_t>(Type::kBytes), std::string(value)});
  return *this;
}
Parameters& Parameters::Int(int64_t value) {
  std::string bytes;
  PutInt8(bytes, value);
  all_.push_back({static_cast<uint32_t>(Type::kInt8), std::move(bytes)});
  return *this;
}
Parameters& Parameters::Time(TimePoint value) {
  std::string bytes;
  PutInt8(bytes, WireTime(value));
  all_.push_back({static_cast<uint32_t>(Type::kTime), std::move(bytes)});
  return *this;
}
Parameters& Parameters::Null(Type type) {
  all_.push_back({.type = static_cast<uint32_t>(type), .is_null = true});
  return *this;
}
Parameters& Parameters::Add(Array&& array) {
  const uint32_t type = ArrayType(array.element());
  all_.push_back({type, std::move(array).Take()});
  return *this;
}

Result::Result(pg_result* owned) : result_(owned) {}
Result::~Result() { PQclear(result_); }
Result::Result(Result&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
Result& Result::operator=(Result&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}

size_t Result::rows() const { return static_cast<size_t>(PQntuples(result_)); }

uint64_t Result::affected() const {
  // PQcmdTuples is the one function of libpq that wants its argument without const.
  return static_cast<uint64_t>(ParseInt(PQcmdTuples(result_)).value_or(0));
}

bool Result::IsNull(size_t row, size_t column) const {
  return PQgetisnull(result_, static_cast<int>(row), static_cast<int>(column)) == 1;
}

std::string_view Result::Text(size_t row, size_t column) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  return {PQgetvalue(result_, r, c), static_cast<size_t>(PQgetlength(result_, r, c))};
}

int64_t Result::Int(size_t row, size_t column) const { return ReadInt(Text(row, column)); }
bool Result::Bool(size_t row, size_t column) const { return Int(row, column) != 0; }

TimePoint Result::Time(size_t row, size_t column) const {
  return OptionalTime(row, column).value_or(TimePoint());
}

std::optional<TimePoint> Result::OptionalTime(size_t row, size_t column) const {
  if (IsNull(row, column)) return std::nullopt;
  return FromMicros(Int(row, column) + kEpochMicros);
}

}  // namespace troth::postgres
