#include "store/dtm/owner.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace troth::dtm {
namespace {

constexpr char kForeign = '?';  // begins what is remembered of an owner that is not ours

struct Parts {
  uint64_t version = 0;
  bool leased = false;
};

// The parts of an owner of ours; nothing for any other.
std::optional<Parts> Parse(std::string_view owner) {
  const std::vector<std::string_view> parts = Split(owner, '@');
  if (parts.size() != 3 || (parts[2] != "w" && parts[2] != "p")) return std::nullopt;
  const std::optional<int64_t> version = ParseInt(parts[1]);
  if (!version || *version <= 0) return std::nullopt;
  return Parts{static_cast<uint64_t>(*version), parts[2] == "w"};
}

}  // namespace

std::string OwnerText(std::string_view token, uint64_t version, bool leased) {
  return Cat(token, '@', version, leased ? "@w" : "@p");
}

std::string ClaimedOwnerText(std::string_view claim_token, std::string_view owner) {
  const std::vector<std::string_view> parts = Split(owner, '@');
  return Cat(claim_token, '@', parts[std::min<size_t>(1, parts.size() - 1)], "@w");
}

OwnerInfo ReadOwner(std::string_view owner, std::optional<TimePoint> updated) {
  if (const std::optional<Parts> ours = Parse(owner)) {
    return {.version = ours->version, .leased = ours->leased, .remembered = std::string(owner)};
  }
  // Seconds since 1970 are more than any count of saves, and go on with every write of dtm's.
  const int64_t seconds = updated ? ToMicros(*updated) / ToMicros(TimePoint(Seconds(1))) : 0;
  const uint64_t version = static_cast<uint64_t>(std::max<int64_t>(1, seconds));
  return {.version = version, .leased = false, .remembered = Cat(kForeign, version, '@', owner)};
}

std::string ExpectedOwner(std::string_view remembered,
                          uint64_t version,
                          std::string_view token,
                          bool leased) {
  if (!remembered.empty() && remembered.front() == kForeign) {
    const size_t at = remembered.find('@');
    if (at != std::string_view::npos &&
        ParseInt(remembered.substr(1, at - 1)) == static_cast<int64_t>(version)) {
      return std::string(remembered.substr(at + 1));
    }
  } else if (const std::optional<Parts> read = Parse(remembered)) {
    if (read->version == version) return std::string(remembered);
  }
  return OwnerText(token, version, leased);
}

}  // namespace troth::dtm
