#pragma once
// How the SQL stores want their saves. Pure.

#include <cstddef>

#include "store/store.h"

namespace troth::sql {

// Two commits at once: the database works off one batch while the next one is made, sent, and waits
// for the disk. More bring nothing, they only make the batches smaller. `connections_max` (0: no
// bound) leaves one for readers.
inline CommitShape ShapeOfCommits(size_t batch_max, size_t connections_max) {
  const bool has_room = connections_max == 0 || connections_max > 2;
  return {.at_once = has_room ? size_t{2} : size_t{1}, .saves_max = batch_max};
}

}  // namespace troth::sql
