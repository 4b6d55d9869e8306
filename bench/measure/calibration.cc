#include "bench/measure/calibration.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/random.h"
#include "base/text.h"

namespace troth::bench {
namespace {

constexpr int kSyncs = 1000;
constexpr int kLoops = 5;
constexpr int kLoopSteps = 10'000'000;
constexpr size_t kWriteBytes = 512;
constexpr off_t kFileBytes = 1 << 20;
constexpr uint64_t kSeed = 1;

using Steady = std::chrono::steady_clock;

Duration Since(Steady::time_point start) {
  return std::chrono::duration_cast<Duration>(Steady::now() - start);
}

StatusOr<Duration> FdatasyncMedian(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Internal(Cat("cannot write ", path));
  const std::string zeros(kFileBytes, '\0');
  bool written = ::pwrite(fd, zeros.data(), zeros.size(), 0) == kFileBytes && ::fsync(fd) == 0;
  std::vector<Duration> times;
  for (int i = 0; i < kSyncs && written; ++i) {
    const auto start = Steady::now();
    const off_t at = static_cast<off_t>(i * kWriteBytes) % kFileBytes;
    written = ::pwrite(fd, zeros.data(), kWriteBytes, at) == static_cast<ssize_t>(kWriteBytes) &&
              ::fdatasync(fd) == 0;
    times.push_back(Since(start));
  }
  ::close(fd);
  ::unlink(path.c_str());
  if (!written) return Internal(Cat("cannot write ", path));
  std::nth_element(times.begin(), times.begin() + kSyncs / 2, times.end());
  return times[kSyncs / 2];
}

Duration CpuLoop() {
  Duration best = Duration::max();
  for (int i = 0; i < kLoops; ++i) {
    Random random(kSeed);
    const auto start = Steady::now();
    uint64_t sum = 0;
    for (int step = 0; step < kLoopSteps; ++step) sum += random.Next();
    volatile uint64_t kept = sum;  // or the loop would be left out
    static_cast<void>(kept);
    best = std::min(best, Since(start));
  }
  return best;
}

}  // namespace

StatusOr<Calibration> Calibrate(const std::string& directory) {
  TROTH_ASSIGN_OR_RETURN(const Duration sync, FdatasyncMedian(Cat(directory, "/calibration")));
  return Calibration{.fdatasync_p50 = sync, .cpu_loop = CpuLoop()};
}

}  // namespace troth::bench
