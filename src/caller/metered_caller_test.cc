#include "caller/metered_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Keeps each call until the test ends it.
class HeldCaller final : public BranchCaller {
 public:
  void Start(const Call& call, CallSink& sink) override {
    held.push_back({call.id, call.call, &sink});
  }
  void End(size_t index, BranchOutcome outcome) {
    held[index].sink->OnCallDone(held[index].id, held[index].call, {.outcome = outcome});
  }
  struct Held {
    TxnId id;
    uint32_t call;
    CallSink* sink;
  };
  std::vector<Held> held;
};

class RecordingSink final : public CallSink {
 public:
  void OnCallDone(TxnId id, uint32_t call, CallResult result) override {
    ended.push_back({id, call, result.outcome});
  }
  struct Ended {
    TxnId id;
    uint32_t call;
    BranchOutcome outcome;
    bool operator==(const Ended&) const = default;
  };
  std::vector<Ended> ended;
};

class MeteredCallerTest : public ::testing::Test {
 protected:
  void Start(TxnId id, std::string_view url, std::string_view branch_id = "01") {
    metered_.Start(Call{.id = id, .call = 7, .txn = &txn_, .branch_id = branch_id, .url = url},
                   sink_);
  }
  std::string Text() {
    MetricsText text;
    CallMetrics::Append({&metered_.metrics()}, text);
    return text.Take();
  }

  net::Loop loop_;
  HeldCaller next_;
  RecordingSink sink_;
  Transaction txn_;
  MeteredCaller metered_{loop_, next_};
};

TEST_F(MeteredCallerTest, HandsEachEndToTheCallThatAskedForIt) {
  Start(100, "http://a/x");
  Start(200, "http://b/x");
  next_.End(1, BranchOutcome::kOngoing);
  Start(300, "http://c/x");
  next_.End(0, BranchOutcome::kSucceeded);
  next_.End(2, BranchOutcome::kFailed);
  EXPECT_THAT(sink_.ended,
              ::testing::ElementsAre(RecordingSink::Ended{200, 7, BranchOutcome::kOngoing},
                                     RecordingSink::Ended{100, 7, BranchOutcome::kSucceeded},
                                     RecordingSink::Ended{300, 7, BranchOutcome::kFailed}));
}

TEST_F(MeteredCallerTest, CountsBranchesInDtmsWords) {
  Start(1, "http://a/x");
  Start(2, "http://a/x", "17");
  Start(3, "http://a/x", "chosen by the client");
  next_.End(0, BranchOutcome::kSucceeded);
  next_.End(1, BranchOutcome::kUnknown);
  next_.End(2, BranchOutcome::kFailed);
  const std::string text = Text();
  EXPECT_THAT(text,
              HasSubstr("dtm_branch_process_total{model=\"msg\",branchid=\"01\","
                        "branchtype=\"action\",status=\"ok\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("dtm_branch_process_total{model=\"msg\",branchid=\"other\","
                        "branchtype=\"action\",status=\"fail\"} 2\n"));
}

TEST_F(MeteredCallerTest, TellsOutcomesAndStateOfAnEndpoint) {
  Start(1, "http://a:1/x?y=/z");
  Start(2, "http://a:1/y");
  next_.End(0, BranchOutcome::kUnknown);
  std::string text = Text();
  EXPECT_THAT(text, HasSubstr("troth_endpoint_in_flight{endpoint=\"http://a:1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troth_endpoint_up{endpoint=\"http://a:1\"} 0\n"));
  next_.End(1, BranchOutcome::kSucceeded);
  text = Text();
  EXPECT_THAT(text, HasSubstr("troth_endpoint_up{endpoint=\"http://a:1\"} 1\n"));
  EXPECT_THAT(
      text,
      HasSubstr("troth_endpoint_calls_total{endpoint=\"http://a:1\",outcome=\"unknown\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troth_endpoint_call_duration_count{endpoint=\"http://a:1\"} 2\n"));
}

TEST_F(MeteredCallerTest, CountsEndpointsBeyondTheBoundTogether) {
  for (size_t i = 0; i < kEndpointsMax + 10; ++i) {
    Start(i, "http://h" + std::to_string(i) + "/x");
    next_.End(i, BranchOutcome::kSucceeded);
  }
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("troth_endpoint_call_duration_count{endpoint=\"other\"} 10\n"));
  EXPECT_THAT(text, Not(HasSubstr("http://h" + std::to_string(kEndpointsMax) + "\"")));
}

TEST(EndpointOf, IsWhatIsDialled) {
  EXPECT_EQ(EndpointOf("http://h:1/a/b?c=d/e"), "http://h:1");
  EXPECT_EQ(EndpointOf("https://h"), "https://h");
  EXPECT_EQ(EndpointOf("h:1/pkg.Svc/Method"), "h:1");
  EXPECT_EQ(EndpointOf("discovery:///svc/pkg.Svc/Method"), "discovery:///svc");
  EXPECT_EQ(EndpointOf("nonsense"), "nonsense");
  EXPECT_EQ(EndpointOf(""), "");
}

}  // namespace
}  // namespace troth
