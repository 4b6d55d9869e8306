// bench_micro: the parts of a transaction's way one by one, without sockets and disks.

#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
