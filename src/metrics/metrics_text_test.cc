#include "metrics/metrics_text.h"

#include <gtest/gtest.h>

#include <thread>

namespace troth {
namespace {

using std::chrono::milliseconds;

TEST(MetricsText, WritesHelpAndTypeBeforeTheSamplesOfAFamily) {
  MetricsText text;
  text.Gauge("troth_unfinished", "Transactions without an end.");
  text.Sample({}, 7);
  text.Counter("calls_total", "Calls.");
  text.Sample({{"api", "submit"}, {"status", "ok"}}, 1);
  EXPECT_EQ(text.Take(),
            "# HELP troth_unfinished Transactions without an end.\n"
            "# TYPE troth_unfinished gauge\n"
            "troth_unfinished 7\n"
            "# HELP calls_total Calls.\n"
            "# TYPE calls_total counter\n"
            "calls_total{api=\"submit\",status=\"ok\"} 1\n");
}

TEST(MetricsText, EscapesLabelValues) {
  MetricsText text;
  text.Counter("c", "h");
  text.Sample({{"endpoint", "a\"b\\c\nd\xff"}}, 1);
  EXPECT_NE(text.Take().find("c{endpoint=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} 1\n"), std::string::npos);
}

TEST(MetricsText, BucketsOfAHistogramAddUp) {
  DurationHistogram histogram;
  histogram.Add(milliseconds(5));  // a bound belongs to its bucket
  histogram.Add(milliseconds(6));
  histogram.Add(Seconds(11));
  MetricsText text;
  text.Histogram("d", "h");
  text.SampleDurations({{"type", "http"}}, histogram.counts());
  const std::string out = text.Take();
  EXPECT_NE(out.find("d_bucket{type=\"http\",le=\"0.005\"} 1\n"), std::string::npos);
  EXPECT_NE(out.find("d_bucket{type=\"http\",le=\"0.01\"} 2\n"), std::string::npos);
  EXPECT_NE(out.find("d_bucket{type=\"http\",le=\"10\"} 2\n"), std::string::npos);
  EXPECT_NE(out.find("d_bucket{type=\"http\",le=\"+Inf\"} 3\n"), std::string::npos);
  EXPECT_NE(out.find("d_sum{type=\"http\"} 11.011\n"), std::string::npos);
  EXPECT_NE(out.find("d_count{type=\"http\"} 3\n"), std::string::npos);
}

TEST(Counter, IsReadByAnotherThreadWhileItsOwnerCounts) {
  Counter counter;
  std::thread owner([&] {
    for (int i = 0; i < 1000; ++i) counter.Add();
  });
  uint64_t last = 0;
  while (last < 1000) {
    const uint64_t now = counter.value();
    ASSERT_GE(now, last);
    last = now;
  }
  owner.join();
}

}  // namespace
}  // namespace troth
