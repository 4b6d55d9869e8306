#include "metrics/process_metrics.h"

#include <gtest/gtest.h>

namespace troth {
namespace {

TEST(ProcessMetrics, TellsMemoryFilesAndTheStart) {
  MetricsText text;
  AppendProcessMetrics(text);
  const std::string out = text.Take();
  for (const char* name : {"process_cpu_seconds_total",
                           "process_virtual_memory_bytes",
                           "process_resident_memory_bytes",
                           "process_start_time_seconds",
                           "process_open_fds",
                           "process_max_fds"}) {
    EXPECT_NE(out.find(std::string("\n") + name + " "), std::string::npos) << name;
  }
  EXPECT_EQ(out.find("process_resident_memory_bytes 0\n"), std::string::npos);
  EXPECT_EQ(out.find("process_open_fds 0\n"), std::string::npos);
}

}  // namespace
}  // namespace troth
