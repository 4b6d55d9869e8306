// What a client sent, from its bytes to the engine's request: JSON of HTTP and protobuf of gRPC;
// and the answer to HTTP.

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/json_input.h"
#include "api/trans_input.h"
#include "api/wire_json.h"
#include "base/check.h"
#include "bench/load/scenario.h"
#include "dtmgimp.pb.h"

namespace troth {
namespace {

class NoTopics : public TopicReader {
 public:
  std::vector<std::string> Subscribers(std::string_view) const override { return {}; }
};

std::string Bytes(const std::string& scenario) {
  const bench::Services services = {.succeeding = "127.0.0.1:8082", .refusing = "", .down = ""};
  const auto made = bench::MakeScenario(scenario, services);
  TROTH_CHECK(made.ok());
  const bench::Request& request = made->calls.front().request;
  return request.before_gid + std::string(bench::kGidBytes, 'g') + request.after_gid;
}

StatusOr<Request> FromJson(const std::string& body) {
  TROTH_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Parse(body));
  TROTH_ASSIGN_OR_RETURN(TransInput input, ReadTransInput(object));
  return MakeRequest(RequestKind::kSubmit, std::move(input), {}, NoTopics());
}

void HttpSubmit(benchmark::State& state, const char* scenario) {
  const std::string body = Bytes(scenario);
  TROTH_CHECK(FromJson(body).ok());
  for (auto each : state) benchmark::DoNotOptimize(FromJson(body));
}
BENCHMARK_CAPTURE(HttpSubmit, saga_2, "saga-2-http");
BENCHMARK_CAPTURE(HttpSubmit, saga_10, "saga-10-http");

void GrpcSubmitDecode(benchmark::State& state, const char* scenario) {
  const std::string body = Bytes(scenario);
  for (auto each : state) {
    dtmgimp::DtmRequest request;
    TROTH_CHECK(request.ParseFromString(body));
    benchmark::DoNotOptimize(request);
  }
}
BENCHMARK_CAPTURE(GrpcSubmitDecode, msg, "msg");
BENCHMARK_CAPTURE(GrpcSubmitDecode, saga_10, "saga-10");

void HttpAnswer(benchmark::State& state) {
  const ClientAnswer answer;
  for (auto each : state) benchmark::DoNotOptimize(ToHttp(answer));
}
BENCHMARK(HttpAnswer);

void HttpQueryAnswer(benchmark::State& state) {
  const StatusOr<Request> request = FromJson(Bytes("saga-10-http"));
  TROTH_CHECK(request.ok());
  for (auto each : state) benchmark::DoNotOptimize(QueryJson(&request->draft, UtcOffset(0)));
}
BENCHMARK(HttpQueryAnswer);

}  // namespace
}  // namespace troth
