// docs/limits.md tells the limits the code has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/limits.h"
#include "base/text.h"
#include "engine/limits.h"
#include "net/grpc_server.h"
#include "net/http1_server.h"

namespace troth {
namespace {

// 50000 -> "50,000"; what has four digits stays as it is.
std::string Count(size_t number) {
  std::string text = Cat(number);
  constexpr size_t kPlain = 4;
  if (text.size() <= kPlain) return text;
  for (size_t at = text.size() - 3; at < text.size() && at > 0; at -= 3) text.insert(at, ",");
  return text;
}

// As the table writes sizes: "4 MiB", "16 KiB", "8192 bytes".
std::string Bytes(size_t number) {
  constexpr size_t kKib = 1024;
  if (number >= kKib * kKib) return Cat(number / kKib / kKib, " MiB");
  return number >= 16 * kKib ? Cat(number / kKib, " KiB") : Cat(number, " bytes");
}

std::string ReadLimitsPage() {
  std::ifstream file(TROTH_LIMITS_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LimitsPage, TellsTheLimitsOfTheCode) {
  const std::string page = ReadLimitsPage();
  const Limits limits;
  const net::HttpServerOptions http;
  const net::GrpcServerOptions grpc;
  const auto expect_row = [&page](std::string_view what, const std::string& limit) {
    EXPECT_THAT(page, ::testing::HasSubstr(Cat("\n| ", what, " | ", limit)));
  };
  expect_row("gid, branch_id", Bytes(limits.gid_bytes_max));
  EXPECT_EQ(limits.gid_bytes_max, limits.branch_id_bytes_max);  // one row for both
  expect_row("URL of a branch", Bytes(limits.url_bytes_max));
  expect_row("branch operations of a transaction", Count(limits.branches_max));
  expect_row("payloads of a transaction", Bytes(limits.payload_bytes_max));
  expect_row("custom_data", Bytes(limits.custom_data_bytes_max));
  expect_row("branch_headers",
             Cat(limits.branch_headers_max, ", together ", Bytes(limits.branch_header_bytes_max)));
  expect_row("result of a workflow", Bytes(limits.result_bytes_max));
  expect_row("rollback_reason", Bytes(limits.reason_bytes_max));
  expect_row("calls that were no success kept of a branch", Count(limits.attempts_of_branch_max));
  expect_row("those kept of a transaction", Count(limits.attempts_max));
  expect_row("error text of one", Bytes(limits.attempt_error_bytes_max));
  expect_row("body of an HTTP request", Bytes(http.body_bytes_max));
  expect_row("headers of an HTTP request", Bytes(http.header_bytes_max));
  expect_row("message of a gRPC call", Bytes(grpc.limits.message_bytes_max));
  expect_row("headers of a gRPC call", Bytes(grpc.limits.header_bytes_max));
  expect_row("open gRPC calls of a connection", Count(grpc.limits.concurrent_streams_max));
  expect_row("connections", Count(http.connections_max));
  EXPECT_EQ(http.connections_max, grpc.connections_max);  // one row for both
  expect_row("requests in a JSON-RPC batch", Count(limits::kJsonRpcBatchMax));
  expect_row("transactions being worked on in a shard", Count(limits.in_flight_max));
  expect_row("requests that wait for one transaction's save", Count(limits.waiting_requests_max));
  expect_row("requests of other threads that wait for a shard", Count(limits::kInboxRequestsMax));
  expect_row("queries that wait for the store", Count(limits::kQueriesMax));
  expect_row("clients that wait for a transaction, or follow its events",
             Count(limits::kWatchersMax));
  expect_row("alerts on their way", Count(limits::kAlertsMax));
}

}  // namespace
}  // namespace troth
