// The client of gRPC's interoperability tests, on our transport: runs one case against another
// language's test server.
//
//   grpc_interop_client --host HOST --port PORT --test_case CASE [--use_tls --ca_file FILE
//   --server_host_override NAME]
//
// Exits with 0 when the case passes, with 1 and the reason when it does not. Cases: see kCases
// below; they are described in gRPC's doc/interop-test-descriptions.md.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "interop.pb.h"
#include "interop_calls.h"

namespace troth::net {
namespace {

using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

constexpr std::string_view kService = "/grpc.testing.TestService/";
const std::vector<int32_t> kRequestSizes = {27182, 8, 1828, 45904};
const std::vector<int32_t> kResponseSizes = {31415, 9, 2653, 58979};

std::string Path(std::string_view method) { return Cat(kService, method); }
std::string Body(int32_t size) { return std::string(static_cast<size_t>(size), '\0'); }

std::string OutputRequest(int32_t body_size, const std::vector<int32_t>& response_sizes) {
  StreamingOutputCallRequest request;
  if (body_size > 0) request.mutable_payload()->set_body(Body(body_size));
  for (const int32_t size : response_sizes) request.add_response_parameters()->set_size(size);
  return request.SerializeAsString();
}

void ExpectBody(const std::string& message, int32_t size) {
  StreamingOutputCallResponse response;
  Expect(response.ParseFromString(message), "the answer does not parse");
  Expect(response.payload().body() == Body(size), Cat("the answer's body is not ", size, " zeros"));
}

void EmptyUnary(InteropCalls& calls) {
  const UnaryResult result = calls.Unary(Path("EmptyCall"), Empty().SerializeAsString());
  ExpectCode(result.status, GrpcCode::kOk);
  Expect(result.message.empty(), "the answer is not empty");
}

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(314159);
  request.mutable_payload()->set_body(Body(271828));
  return request;
}

void ExpectLargeResponse(const UnaryResult& result) {
  ExpectCode(result.status, GrpcCode::kOk);
  SimpleResponse response;
  Expect(response.ParseFromString(result.message), "the answer does not parse");
  Expect(response.payload().body() == Body(314159), "the answer's body is not 314159 zeros");
}

void LargeUnary(InteropCalls& calls) {
  ExpectLargeResponse(calls.Unary(Path("UnaryCall"), LargeRequest().SerializeAsString()));
}

void ClientStreaming(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("StreamingInputCall"));
  for (const int32_t size : kRequestSizes) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(Body(size));
    stream->Write(request.SerializeAsString());
  }
  stream->CloseSend();
  StreamingInputCallResponse response;
  Expect(response.ParseFromString(stream->Read()), "the answer does not parse");
  Expect(response.aggregated_payload_size() == 74922, "the sum of sizes is wrong");
  ExpectCode(stream->End(), GrpcCode::kOk);
}

void ServerStreaming(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("StreamingOutputCall"));
  stream->Write(OutputRequest(0, kResponseSizes));
  stream->CloseSend();
  for (const int32_t size : kResponseSizes) ExpectBody(stream->Read(), size);
  ExpectCode(stream->End(), GrpcCode::kOk);
}

void PingPong(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("FullDuplexCall"));
  for (size_t i = 0; i < kRequestSizes.size(); ++i) {
    stream->Write(OutputRequest(kRequestSizes[i], {kResponseSizes[i]}));
    ExpectBody(stream->Read(), kResponseSizes[i]);
  }
  stream->CloseSend();
  ExpectCode(stream->End(), GrpcCode::kOk);
}

void EmptyStream(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("FullDuplexCall"));
  stream->CloseSend();
  ExpectCode(stream->End(), GrpcCode::kOk);
  Expect(stream->unread() == 0, "an empty stream was answered");
}

void TimeoutOnSleepingServer(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("FullDuplexCall"), {}, std::chrono::milliseconds(1));
  stream->Write(OutputRequest(27182, {}));
  ExpectCode(stream->End(), GrpcCode::kDeadlineExceeded);
}

void CancelAfterBegin(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("StreamingInputCall"));
  stream->Cancel();
  ExpectCode(stream->End(), GrpcCode::kCancelled);
}

void CancelAfterFirstResponse(InteropCalls& calls) {
  const auto stream = calls.Stream(Path("FullDuplexCall"));
  stream->Write(OutputRequest(27182, {31415}));
  ExpectBody(stream->Read(), 31415);
  stream->Cancel();
  ExpectCode(stream->End(), GrpcCode::kCancelled);
}

void ExpectEchoStatus(InteropCalls& calls, const std::string& text, bool also_stream) {
  SimpleRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(text);
  const UnaryResult result = calls.Unary(Path("UnaryCall"), request.SerializeAsString());
  ExpectCode(result.status, GrpcCode::kUnknown);
  Expect(result.status.message == text, "the status message differs");
  if (!also_stream) return;
  StreamingOutputCallRequest streamed;
  *streamed.mutable_response_status() = request.response_status();
  const auto stream = calls.Stream(Path("FullDuplexCall"));
  stream->Write(streamed.SerializeAsString());
  stream->CloseSend();
  const GrpcStatus status = stream->End();
  ExpectCode(status, GrpcCode::kUnknown);
  Expect(status.message == text, "the status message of the stream differs");
}

void StatusCodeAndMessage(InteropCalls& calls) {
  ExpectEchoStatus(calls, "test status message", true);
}

void SpecialStatusMessage(InteropCalls& calls) {
  ExpectEchoStatus(
      calls, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n", false);
}

void CustomMetadata(InteropCalls& calls) {
  const std::vector<MetadataView> metadata = {
      {"x-grpc-test-echo-initial", "test_initial_metadata_value"},
      {"x-grpc-test-echo-trailing-bin", "\xab\xab\xab"},
  };
  const auto expect_echo = [](const Metadata& initial, const Metadata& trailers) {
    Expect(Find(initial, "x-grpc-test-echo-initial") == "test_initial_metadata_value",
           "the initial metadata did not come back");
    Expect(Find(trailers, "x-grpc-test-echo-trailing-bin") == "\xab\xab\xab",
           "the trailing metadata did not come back");
  };
  const UnaryResult result =
      calls.Unary(Path("UnaryCall"), LargeRequest().SerializeAsString(), metadata);
  ExpectLargeResponse(result);
  expect_echo(result.initial_metadata, result.trailers);

  const auto stream = calls.Stream(Path("FullDuplexCall"), metadata);
  stream->Write(OutputRequest(271828, {314159}));
  ExpectBody(stream->Read(), 314159);
  stream->CloseSend();
  ExpectCode(stream->End(), GrpcCode::kOk);
  expect_echo(stream->initial_metadata(), stream->trailers());
}

void UnimplementedMethod(InteropCalls& calls) {
  ExpectCode(calls.Unary(Path("UnimplementedCall"), {}).status, GrpcCode::kUnimplemented);
}

void UnimplementedService(InteropCalls& calls) {
  ExpectCode(calls.Unary("/grpc.testing.UnimplementedService/UnimplementedCall", {}).status,
             GrpcCode::kUnimplemented);
}

const std::map<std::string, std::function<void(InteropCalls&)>> kCases = {
    {"empty_unary", EmptyUnary},
    {"large_unary", LargeUnary},
    {"client_streaming", ClientStreaming},
    {"server_streaming", ServerStreaming},
    {"ping_pong", PingPong},
    {"empty_stream", EmptyStream},
    {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
    {"cancel_after_begin", CancelAfterBegin},
    {"cancel_after_first_response", CancelAfterFirstResponse},
    {"status_code_and_message", StatusCodeAndMessage},
    {"special_status_message", SpecialStatusMessage},
    {"custom_metadata", CustomMetadata},
    {"unimplemented_method", UnimplementedMethod},
    {"unimplemented_service", UnimplementedService},
};

int Run(int argc, char** argv) {
  CLI::App app("gRPC interoperability test client");
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  bool use_tls = false;
  TlsOptions tls;
  std::string test_case;
  app.add_option("--host", host);
  app.add_option("--port", port)->required();
  app.add_flag("--use_tls", use_tls);
  app.add_option("--ca_file", tls.ca_file);
  app.add_option("--cert", tls.certificate_file);
  app.add_option("--key", tls.key_file);
  app.add_option("--server_host_override", tls.server_name);
  app.add_option("--test_case", test_case)->required();
  CLI11_PARSE(app, argc, argv);

  const auto found = kCases.find(test_case);
  Expect(found != kCases.end(), "there is no such case");
  ChannelOptions options;
  options.authority = tls.server_name;
  if (use_tls) {
    auto context = TlsContext::MakeClient(tls);
    Expect(context.ok(), Message(context.status()));
    options.tls = *context;
  }
  InteropCalls calls(Cat(host, ":", port), options);
  found->second(calls);
  std::printf("%s: passed\n", test_case.c_str());
  return 0;
}

}  // namespace
}  // namespace troth::net

int main(int argc, char** argv) { return troth::net::Run(argc, argv); }
