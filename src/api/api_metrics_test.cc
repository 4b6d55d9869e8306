#include "api/api_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RouteLabel, IsTheRouteWithoutItsPrefixAndParameters) {
  EXPECT_EQ(RouteLabel("/api/dtmsvr/newGid"), "newgid");
  EXPECT_EQ(RouteLabel("/api/json-rpc"), "json-rpc");
  EXPECT_EQ(RouteLabel("/api/dtmsvr/topic/*"), "topic");
  EXPECT_EQ(RouteLabel("/api/v1/transactions/*/wait"), "v1/transactions/wait");
}

TEST(ApiMetrics, AddsUpWhatAllLoopsAnswered) {
  net::Loop a;
  net::Loop b;
  ApiMetrics metrics({&a, &b});
  const uint32_t submit = metrics.AddRoute("grpc", "submit");
  metrics.AddRoute("grpc", "abort");
  EXPECT_EQ(metrics.AddRoute("grpc", "submit"), submit);
  metrics.OnAnswered(a, submit, true, std::chrono::milliseconds(1));
  metrics.OnAnswered(b, submit, true, std::chrono::milliseconds(20));
  metrics.OnAnswered(b, submit, false, std::chrono::milliseconds(1));
  MetricsText text;
  metrics.Append(text);
  const std::string out = text.Take();
  EXPECT_THAT(
      out, HasSubstr("dtm_server_process_total{type=\"grpc\",api=\"submit\",status=\"ok\"} 2\n"));
  EXPECT_THAT(
      out, HasSubstr("dtm_server_process_total{type=\"grpc\",api=\"submit\",status=\"fail\"} 1\n"));
  EXPECT_THAT(out,
              HasSubstr("dtm_server_response_duration_bucket"
                        "{type=\"grpc\",api=\"submit\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(out, Not(HasSubstr("abort")));
}

}  // namespace
}  // namespace troth
