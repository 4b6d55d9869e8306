#include "base/time.h"

#include "base/time_text.h"

#include <cstdlib>
#include <ctime>

namespace troth {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Writes exactly `width` digits at `to`; returns where they end. A fixed width compiles to a few
// multiplications, and stores write many times a transaction.
template <size_t width>
char* PutDigits(char* to, int64_t value) {
  auto rest = static_cast<uint64_t>(value);
  for (size_t i = width; i > 0; --i) {
    to[i - 1] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  return to + width;
}

char* PutFraction(char* to, int64_t micros) {
  if (micros == 0) return to;
  *to = '.';
  to = PutDigits<6>(to + 1, micros);
  while (to[-1] == '0') --to;
  return to;
}

char* PutOffset(char* to, minutes offset) {
  if (offset == minutes{0}) {
    *to = 'Z';
    return to + 1;
  }
  const int64_t size = std::chrono::abs(offset).count();
  *to = offset.count() < 0 ? '-' : '+';
  to = PutDigits<2>(to + 1, size / 60);
  *to = ':';
  return PutDigits<2>(to + 1, size % 60);
}

// At least four digits; years before 0 have a sign.
char* PutYear(char* to, int year) {
  if (year < 0) *to++ = '-';
  const int size = std::abs(year);
  return size <= 9999 ? PutDigits<4>(to, size) : PutDigits<5>(to, size);
}

char* Put(char* to, TimePoint local, minutes offset) {
  const auto day = floor<days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(local - day);
  const auto put = [&to](char before, int64_t value) {
    *to = before;
    to = PutDigits<2>(to + 1, value);
  };
  to = PutYear(to, static_cast<int>(date.year()));
  put('-', static_cast<unsigned>(date.month()));
  put('-', static_cast<unsigned>(date.day()));
  put('T', clock.hours().count());
  put(':', clock.minutes().count());
  put(':', clock.seconds().count());
  return PutOffset(PutFraction(to, clock.subseconds().count()), offset);
}

// Takes fixed parts off the front of a text; remembers whether all were there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // A number of exactly `width` digits, from `low` to `high`.
  int Number(size_t width, int low, int high) {
    int value = 0;
    for (size_t i = 0; i < width; ++i) value = value * 10 + Digit();
    if (value < low || value > high) ok_ = false;
    return value;
  }
  void Literal(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_[0]) == choices.npos) ok_ = false;
    if (ok_) rest_.remove_prefix(1);
  }
  // ".807" as microseconds, 0 when there is no point; digits after the sixth are cut.
  int64_t Fraction() {
    if (!NextIs('.')) return 0;
    rest_.remove_prefix(1);
    int64_t micros = 0;
    int64_t unit = 100'000;
    if (rest_.empty() || !IsDigit(rest_[0])) ok_ = false;
    for (; ok_ && !rest_.empty() && IsDigit(rest_[0]); unit /= 10) micros += Digit() * unit;
    return micros;
  }
  // "Z", "+08:00" or "-03:30".
  minutes Offset() {
    if (NextIs('Z') || NextIs('z')) {
      rest_.remove_prefix(1);
      return {};
    }
    const bool west = NextIs('-');
    Literal("+-");
    const int hour = Number(2, 0, 23);
    Literal(":");
    const minutes offset = hours(hour) + minutes(Number(2, 0, 59));
    return west ? -offset : offset;
  }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  bool NextIs(char c) const { return !rest_.empty() && rest_[0] == c; }
  int Digit() {
    if (rest_.empty() || !IsDigit(rest_[0])) ok_ = false;
    if (!ok_) return 0;
    const int digit = rest_[0] - '0';
    rest_.remove_prefix(1);
    return digit;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string FormatTime(TimePoint time, minutes utc_offset) {
  char text[kTimeTextMax];
  return std::string(text, Put(text, time + utc_offset, utc_offset));
}

char* WriteTime(char* to, TimePoint time) { return Put(to, time, {}); }

std::optional<TimePoint> ParseTime(std::string_view text) {
  Scanner scan(text);
  const std::chrono::year year(scan.Number(4, 0, 9999));
  scan.Literal("-");
  const std::chrono::month month(static_cast<unsigned>(scan.Number(2, 1, 12)));
  scan.Literal("-");
  const std::chrono::day day(static_cast<unsigned>(scan.Number(2, 1, 31)));
  scan.Literal("Tt");
  const hours hour(scan.Number(2, 0, 23));
  scan.Literal(":");
  const minutes minute(scan.Number(2, 0, 59));
  scan.Literal(":");
  const seconds second(scan.Number(2, 0, 59));
  const Duration fraction(scan.Fraction());
  const minutes offset = scan.Offset();
  const std::chrono::year_month_day date(year, month, day);
  if (!scan.AtEnd() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + hour + minute + second + fraction - offset;
}

minutes SystemUtcOffset(TimePoint time) {
  const std::time_t at = floor<seconds>(time).time_since_epoch().count();
  std::tm local = {};
  if (localtime_r(&at, &local) == nullptr) return {};
  return floor<minutes>(seconds(local.tm_gmtoff));
}

}  // namespace troth
