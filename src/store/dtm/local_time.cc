#include "store/dtm/local_time.h"

#include <algorithm>

namespace troth::dtm {
namespace {

constexpr size_t kTextLength = 19;  // "2026-11-21 09:26:44"
constexpr size_t kDateEnd = 10;

}  // namespace

std::string LocalTime::Format(TimePoint time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::chrono::minutes offset = utc_offset_.value_or(SystemUtcOffset(seconds));
  std::string text = FormatTime(seconds + offset);  // "...T...Z"
  text.resize(kTextLength);
  text[kDateEnd] = ' ';
  return text;
}

std::optional<TimePoint> LocalTime::Parse(std::string_view text) const {
  if (text.size() < kTextLength || text[kDateEnd] != ' ') return std::nullopt;
  std::string utc(text);
  utc[kDateEnd] = 'T';
  utc += 'Z';
  const std::optional<TimePoint> shown = ParseTime(utc);
  if (!shown) return std::nullopt;
  if (utc_offset_) return *shown - *utc_offset_;
  // The offset belongs to the time that is looked for; near a change of it one of these is right.
  const std::chrono::minutes around[] = {SystemUtcOffset(*shown - std::chrono::hours(24)),
                                         SystemUtcOffset(*shown + std::chrono::hours(24))};
  const std::chrono::minutes larger = std::max(around[0], around[1]);
  const std::chrono::minutes smaller = std::min(around[0], around[1]);
  const TimePoint earlier = *shown - larger;
  return SystemUtcOffset(earlier) == larger ? earlier : *shown - smaller;
}

}  // namespace troth::dtm
