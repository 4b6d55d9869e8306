#pragma once
// What the stores of this folder share about List: which records a filter wants, and how a position
// is written. Private to this folder.

#include <cstdint>
#include <string>

#include "base/text.h"
#include "store/store.h"

namespace troth {

inline bool Matches(const ListFilter& filter, const RecordIndex& index) {
  return (!filter.status || *filter.status == index.status) &&
         (!filter.type || *filter.type == index.type) &&
         (!filter.created_from || index.create_time >= *filter.created_from) &&
         (!filter.created_to || index.create_time <= *filter.created_to);
}

// A position is the sequence of the last record looked at; the next page has those below it.
inline std::string MakeListPosition(uint64_t sequence) { return Cat(sequence); }

// UINT64_MAX for the newest; InvalidArgument for text that no page handed out.
inline StatusOr<uint64_t> ParseListPosition(const std::string& position) {
  if (position.empty()) return UINT64_MAX;
  const auto sequence = ParseInt(position);
  if (!sequence || *sequence < 0) {
    return InvalidArgument(Cat(
        "\"", position, "\" is not a position of a list: use the one the last page ended with"));
  }
  return static_cast<uint64_t>(*sequence);
}

}  // namespace troth
