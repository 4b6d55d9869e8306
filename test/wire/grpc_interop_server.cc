// The server of gRPC's interoperability tests, on our transport: other languages' test clients call
// it.
//
//   grpc_interop_server --port 0 [--use_tls --cert FILE --key FILE [--ca_file FILE]]
//
// Prints "listening on PORT" and runs until a signal ends it.

#include <google/protobuf/descriptor.pb.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "interop.pb.h"
#include "net/grpc_server.h"

namespace troth::net {
namespace {

using grpc::testing::EchoStatus;
using grpc::testing::Payload;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

constexpr std::string_view kEchoInitial = "x-grpc-test-echo-initial";
constexpr std::string_view kEchoTrailing = "x-grpc-test-echo-trailing-bin";
const GrpcStatus kBadMessage{GrpcCode::kInvalidArgument, "the message does not parse"};

// What the client asked to see again.
void EchoMetadata(ServerCall& call) {
  if (const auto value = Find(call.metadata(), kEchoInitial))
    call.AddInitialMetadata(kEchoInitial, *value);
  if (const auto value = Find(call.metadata(), kEchoTrailing))
    call.AddTrailer(kEchoTrailing, *value);
}

GrpcStatus StatusOf(const EchoStatus& status) {
  return {static_cast<GrpcCode>(status.code()), status.message()};
}

void FillPayload(Payload& payload, int32_t size) {
  payload.set_body(std::string(static_cast<size_t>(std::max(size, 0)), '\0'));
}

void UnaryCall(const std::shared_ptr<ServerCall>& call, const std::string& message) {
  EchoMetadata(*call);
  SimpleRequest request;
  if (!request.ParseFromString(message)) return call->Finish(kBadMessage);
  if (request.response_status().code() != 0)
    return call->Finish(StatusOf(request.response_status()));
  SimpleResponse response;
  FillPayload(*response.mutable_payload(), request.response_size());
  call->FinishOk(response.SerializeAsString());
}

class InputHandler final : public ServerStreamHandler {
 public:
  explicit InputHandler(std::shared_ptr<ServerCall> call) : call_(std::move(call)) {}

  void OnMessage(std::string message) override {
    StreamingInputCallRequest request;
    if (!request.ParseFromString(message)) return call_->Finish(kBadMessage);
    total_ += request.payload().body().size();
  }
  void OnHalfClose() override {
    StreamingInputCallResponse response;
    response.set_aggregated_payload_size(static_cast<int32_t>(total_));
    call_->FinishOk(response.SerializeAsString());
  }

 private:
  std::shared_ptr<ServerCall> call_;
  size_t total_ = 0;
};

// Answers each request with the messages it asks for; serves StreamingOutputCall and
// FullDuplexCall.
class OutputHandler final : public ServerStreamHandler {
 public:
  explicit OutputHandler(std::shared_ptr<ServerCall> call) : call_(std::move(call)) {
    EchoMetadata(*call_);
  }

  void OnMessage(std::string message) override {
    StreamingOutputCallRequest request;
    if (!request.ParseFromString(message)) return call_->Finish(kBadMessage);
    if (request.response_status().code() != 0)
      return call_->Finish(StatusOf(request.response_status()));
    for (const auto& parameters : request.response_parameters()) {
      StreamingOutputCallResponse response;
      FillPayload(*response.mutable_payload(), parameters.size());
      call_->Write(response.SerializeAsString());
    }
  }
  void OnHalfClose() override { call_->Finish({}); }

 private:
  std::shared_ptr<ServerCall> call_;
};

template <typename Handler>
StreamMethod Streaming() {
  return
      [](std::shared_ptr<ServerCall> call) { return std::make_unique<Handler>(std::move(call)); };
}

void AddTestService(GrpcServer& server) {
  server.AddUnary("/grpc.testing.TestService/EmptyCall",
                  [](const std::shared_ptr<ServerCall>& call, const std::string&) {
                    EchoMetadata(*call);
                    call->FinishOk({});
                  });
  server.AddUnary("/grpc.testing.TestService/UnaryCall", UnaryCall);
  server.AddStream("/grpc.testing.TestService/StreamingInputCall", Streaming<InputHandler>());
  server.AddStream("/grpc.testing.TestService/StreamingOutputCall", Streaming<OutputHandler>());
  server.AddStream("/grpc.testing.TestService/FullDuplexCall", Streaming<OutputHandler>());
}

// With its imports, for reflection.
std::string Descriptors() {
  google::protobuf::FileDescriptorSet files;
  SimpleRequest::descriptor()->file()->CopyTo(files.add_file());
  return files.SerializeAsString();
}

int Run(int argc, char** argv) {
  CLI::App app("gRPC interoperability test server");
  uint16_t port = 0;
  bool use_tls = false;
  TlsOptions tls;
  app.add_option("--port", port, "0 picks a free one");
  app.add_flag("--use_tls", use_tls);
  app.add_option("--ca_file", tls.ca_file, "ask clients for a certificate this has signed");
  app.add_option("--cert", tls.certificate_file);
  app.add_option("--key", tls.key_file);
  CLI11_PARSE(app, argc, argv);

  GrpcServerOptions options;
  if (use_tls) {
    tls.require_client_certificate = !tls.ca_file.empty();
    auto context = TlsContext::MakeServer(tls);
    if (!context.ok()) {
      std::fprintf(stderr, "%s\n", std::string(Message(context.status())).c_str());
      return 1;
    }
    options.tls = *context;
  }
  Loop loop;
  GrpcServer server({&loop}, options);
  AddTestService(server);
  HealthService health;
  health.Register(server);
  health.SetServing("", true);
  Status ready = RegisterReflection(
      server, Descriptors(), {"grpc.testing.TestService", "grpc.health.v1.Health"});
  if (ready.ok()) ready = server.Listen(Cat(":", port));
  if (!ready.ok()) {
    std::fprintf(stderr, "%s\n", std::string(Message(ready)).c_str());
    return 1;
  }
  std::printf("listening on %d\n", server.port());
  std::fflush(stdout);
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace troth::net

int main(int argc, char** argv) { return troth::net::Run(argc, argv); }
