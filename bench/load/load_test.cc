#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/figures.h"
#include "bench/load/goals.h"
#include "bench/load/pacer.h"
#include "bench/load/scenario.h"
#include "bench/load/session.h"
#include "bench/measure/latencies.h"
#include "bench/measure/process_usage.h"
#include "dtmgimp.pb.h"

namespace troth::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::string_view kGid = "0123456789012345678901";
const Services kServices = {.succeeding = "ok:1", .refusing = "no:2", .down = "down:3"};

std::string Message(const Request& request) {
  return request.before_gid + std::string(kGid) + request.after_gid;
}

Scenario Make(const std::string& name) { return *MakeScenario(name, kServices); }

dtmgimp::DtmRequest Decoded(const Request& request) {
  dtmgimp::DtmRequest decoded;
  EXPECT_TRUE(decoded.ParseFromString(Message(request)));
  EXPECT_EQ(decoded.gid(), kGid);
  return decoded;
}

TEST(Scenario, AMessageByGrpcIsWhatTheContractSays) {
  const Scenario scenario = Make("msg");
  ASSERT_THAT(scenario.calls, SizeIs(1));
  EXPECT_EQ(scenario.calls[0].request.path, "/dtmgimp.Dtm/Submit");
  const dtmgimp::DtmRequest request = Decoded(scenario.calls[0].request);
  EXPECT_EQ(request.transtype(), "msg");
  EXPECT_TRUE(request.transoptions().waitresult());
  EXPECT_EQ(request.binpayloads_size(), 2);
  EXPECT_EQ(request.steps(),
            R"([{"action":"ok:1/api.trans.v1.Trans/TransOut"},)"
            R"({"action":"ok:1/api.trans.v1.Trans/TransIn"}])");
}

TEST(Scenario, OnlyTheLastStepOfACompensatedSagaIsRefused) {
  const Scenario scenario = Make("saga-10-compensate");
  EXPECT_EQ(scenario.calls[0].expected, 10);  // ABORTED
  EXPECT_EQ(scenario.branch_calls, 20U);
  const dtmgimp::DtmRequest request = Decoded(scenario.calls[0].request);
  EXPECT_EQ(request.binpayloads_size(), 10);
  EXPECT_THAT(request.steps(),
              HasSubstr(R"({"action":"no:2/api.trans.v1.Trans/TransOut",)"
                        R"("compensate":"ok:1/api.trans.v1.Trans/TransOutRevert"}])"));
}

TEST(Scenario, TccRegistersBothBranches) {
  const Scenario scenario = Make("tcc");
  ASSERT_THAT(scenario.calls, SizeIs(4));
  EXPECT_EQ(Decoded(scenario.calls[0].request).transtype(), "tcc");
  dtmgimp::DtmBranchRequest branch;
  ASSERT_TRUE(branch.ParseFromString(Message(scenario.calls[2].request)));
  EXPECT_EQ(branch.branchid(), "02");
  EXPECT_EQ(branch.gid(), kGid);
  const std::map<std::string, std::string> data(branch.data().begin(), branch.data().end());
  EXPECT_THAT(data,
              UnorderedElementsAre(Pair("confirm", "ok:1/api.trans.v1.Trans/TransOutConfirm"),
                                   Pair("cancel", "ok:1/api.trans.v1.Trans/TransOutCancel")));
}

TEST(Scenario, AMessageByHttpIsJson) {
  const Scenario scenario = Make("msg-http");
  EXPECT_EQ(scenario.calls[0].request.path, "/api/dtmsvr/submit");
  EXPECT_EQ(Message(scenario.calls[0].request),
            R"({"gid":"0123456789012345678901","trans_type":"msg","wait_result":true,)"
            R"("steps":[{"action":"http://ok:1/api/trans/TransOut"},)"
            R"({"action":"http://ok:1/api/trans/TransIn"}],)"
            R"("payloads":["{\"amount\":30}","{\"amount\":30}"]})");
}

TEST(Scenario, EveryNameIsOne) {
  for (const std::string& name : ScenarioNames()) {
    EXPECT_TRUE(MakeScenario(name, kServices).ok()) << name;
  }
  EXPECT_FALSE(MakeScenario("sage", kServices).ok());
}

TEST(Pacer, AClosedLoopStartsWhatIsMissing) {
  Pacer pacer = Pacer::Closed(2);
  EXPECT_EQ(pacer.Next(SteadyTime(milliseconds(5)), 1), SteadyTime(milliseconds(5)));
  EXPECT_EQ(pacer.Next(SteadyTime(milliseconds(5)), 2), std::nullopt);
}

TEST(Pacer, AnOpenLoopCountsFromWhenATransactionWasDue) {
  Pacer pacer = Pacer::Open(1000, SteadyTime(milliseconds(0)));
  // The server, or we, stood still for three milliseconds.
  const SteadyTime late(milliseconds(3) - microseconds(1));
  EXPECT_EQ(pacer.Next(late, 0), SteadyTime(milliseconds(0)));
  EXPECT_EQ(pacer.Next(late, 1), SteadyTime(milliseconds(1)));
  EXPECT_EQ(pacer.Next(late, 2), SteadyTime(milliseconds(2)));
  EXPECT_EQ(pacer.Next(late, 3), std::nullopt);
  EXPECT_EQ(pacer.NextAt(late), SteadyTime(milliseconds(3)));
}

TEST(Latencies, PercentilesAreWithinAFiftieth) {
  Latencies latencies;
  for (int i = 1; i <= 1000; ++i) latencies.Add(milliseconds(i));
  EXPECT_NEAR(static_cast<double>(latencies.Percentile(0.5).count()), 500e3, 10e3);
  EXPECT_NEAR(static_cast<double>(latencies.Percentile(0.99).count()), 990e3, 20e3);
}

TEST(Summary, KnowsMedianAndSpread) {
  Summary summary;
  for (const double value : {5.0, 1.0, 3.0}) summary.Add({{Measure::kThroughput, value}});
  const auto spread = summary.Get(Measure::kThroughput);
  ASSERT_TRUE(spread.has_value());
  EXPECT_EQ(spread->median, 3);
  EXPECT_EQ(spread->min, 1);
  EXPECT_EQ(spread->max, 5);
  EXPECT_EQ(summary.Get(Measure::kSyncs), std::nullopt);
}

TEST(GoalList, ComparesTheMedian) {
  GoalList goals;
  goals.AtLeast("speed", 2, Spread{.median = 2, .min = 1, .max = 3, .runs = 3}, "tx/s");
  goals.AtMost("cost", 2, Spread{.median = 2.5, .min = 2.5, .max = 2.5, .runs = 1}, "us");
  goals.AtMost("unknown", 2, std::nullopt, "us");
  const std::string expected =
      R"json([{"goal":"speed","wanted":">= 2.000 tx/s","found":"2.000 tx/s (1.000 .. 3.000)","met":true},
 {"goal":"cost","wanted":"<= 2.000 us","found":"2.500 us","met":false},
 {"goal":"unknown","wanted":"<= 2.000 us","found":"not measured","met":false}]
)json";
  EXPECT_EQ(goals.Json(), expected);
}

TEST(ParseTarget, ReadsEachPart) {
  const auto target = ParseTarget("grpc=h:1,http=h:2,pid=3,store-pid=4,name=dtm");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->grpc, "h:1");
  EXPECT_EQ(target->http, "h:2");
  EXPECT_EQ(target->pid, 3);
  EXPECT_EQ(target->store_pid, 4);
  EXPECT_EQ(target->name, "dtm");
  EXPECT_FALSE(ParseTarget("h:1").ok());
}

TEST(MeasureWithChildren, CountsThoseThatHaveEnded) {
  const Usage before = MeasureWithChildren(getpid());
  const pid_t child = fork();
  if (child == 0) {
    while (clock() < CLOCKS_PER_SEC / 10) {
    }
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_GE(MeasureWithChildren(getpid()).cpu - before.cpu, milliseconds(80));
}

}  // namespace
}  // namespace troth::bench
