#pragma once
// What the counting library and who loads it agree on.

namespace troth::bench {

// The environment variable with the path of the file that allocations are counted in.
constexpr char kAllocationsVariable[] = "TROTH_BENCH_ALLOCATIONS";

}  // namespace troth::bench
