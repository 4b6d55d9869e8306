#pragma once
// The owner column: the one place in dtm's rows that says who wrote last, which every server leaves
// alone unless it takes the transaction over. Ours holds the version of the record as well:
//
//   <token>@<version>@<w|p>     w: a server is working on it (leased), p: it waits
//
// The token is made by NewGid (base/random.h), which is how dtm makes its own: one for each open
// store, so that no two servers write the same owner, and one for each claim.
//
// dtm writes a token of its own when it takes a transaction and '' when it creates one, so a row
// whose owner is exactly what we read or wrote last is at our version, whoever shares the store.
// docs/adr/0016.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace troth::dtm {

// What a save writes.
std::string OwnerText(std::string_view token, uint64_t version, bool leased);

// What a claim with `claim_token` makes of the owner of a row. In MySQL's SQL:
//   CONCAT(claim_token, '@', SUBSTRING_INDEX(SUBSTRING_INDEX(owner, '@', 2), '@', -1), '@w')
// and in PostgreSQL's:
//   claim_token || '@' || split_part(owner, '@', 2) || '@w'
// Both keep the version of an owner of ours; of any other they make one that is not ours.
std::string ClaimedOwnerText(std::string_view claim_token, std::string_view owner);

// What the owner of a row tells.
struct OwnerInfo {
  uint64_t version = 0;
  bool leased = false;
  // For Transaction::owner: from it and the version of a save follows what the row's owner must be.
  std::string remembered{};
};
// `updated`: the row's update_time, by which the versions of rows go on that dtm wrote last.
OwnerInfo ReadOwner(std::string_view owner, std::optional<TimePoint> updated);

// The owner that a row at `version` has: as it was read, when that was the version read
// (`remembered`), else as this store (`token`) wrote it.
std::string ExpectedOwner(std::string_view remembered,
                          uint64_t version,
                          std::string_view token,
                          bool leased);

}  // namespace troth::dtm
