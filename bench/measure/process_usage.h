#pragma once
// What the operating system says of a process.

#include <sys/types.h>

#include <cstdint>

#include "base/time.h"

namespace troth::bench {

struct Usage {
  Duration cpu{};  // user and system, all threads
  uint64_t resident_bytes = 0;
  uint64_t written_bytes = 0;  // handed to the block layer
};

// As of now; zeros when there is no such process.
Usage MeasureProcess(pid_t pid);

// The same of a process and its children together: some databases have one for each connection. The
// CPU time of children that have ended counts as well.
Usage MeasureWithChildren(pid_t pid);

}  // namespace troth::bench
