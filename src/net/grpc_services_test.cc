// The services every server offers: health and reflection.

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "net/grpc_testing.h"

namespace troth::net {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

class GrpcServicesTest : public GrpcTest {
 protected:
  GrpcServicesTest() {
    health_.SetServing("", true);
    prepare_server_ = [this](GrpcServer& server) {
      health_.Register(server);
      EXPECT_TRUE(RegisterReflection(server, Descriptors(), {"test.Echo"}).ok());
    };
    Listen();
  }
  static std::string Descriptors() {
    google::protobuf::FileDescriptorSet files;
    HealthCheckRequest::descriptor()->file()->CopyTo(files.add_file());
    return files.SerializeAsString();
  }
  static std::string Asking(const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return request.SerializeAsString();
  }
  static HealthCheckResponse::ServingStatus StatusIn(const std::string& message) {
    HealthCheckResponse response;
    EXPECT_TRUE(response.ParseFromString(message));
    return response.status();
  }
  // The answer to one question on a reflection stream of its own.
  ServerReflectionResponse Reflect(const ServerReflectionRequest& request) {
    const auto log = OpenStream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    client_.Do([&] {
      log->stream->Write(request.SerializeAsString());
      log->stream->CloseSend();
    });
    EXPECT_TRUE(log->WaitForEnd().ok());
    ServerReflectionResponse response;
    for (const std::string& message : log->Messages()) response.ParseFromString(message);
    return response;
  }

  HealthService health_;
};

TEST_F(GrpcServicesTest, HealthAnswersForServicesItKnows) {
  const std::string path = "/grpc.health.v1.Health/Check";
  EXPECT_EQ(StatusIn(CallUnary(path, Asking("")).message), HealthCheckResponse::SERVING);
  EXPECT_EQ(CallUnary(path, Asking("test.Echo")).status.code, GrpcCode::kNotFound);
  health_.SetServing("test.Echo", false);
  EXPECT_EQ(StatusIn(CallUnary(path, Asking("test.Echo")).message),
            HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(CallUnary(path, "\xff").status.code, GrpcCode::kInvalidArgument);
}

TEST_F(GrpcServicesTest, HealthTellsWatchersOfEveryChange) {
  const auto log = OpenStream("/grpc.health.v1.Health/Watch");
  client_.Do([&] {
    log->stream->Write(Asking("test.Echo"));
    log->stream->CloseSend();
  });
  const auto sees = [&](size_t count, HealthCheckResponse::ServingStatus status) {
    return Eventually([&] { return log->Messages().size() == count; }) &&
           StatusIn(log->Messages().back()) == status;
  };
  EXPECT_TRUE(sees(1, HealthCheckResponse::SERVICE_UNKNOWN));
  health_.SetServing("test.Echo", true);
  EXPECT_TRUE(sees(2, HealthCheckResponse::SERVING));
  health_.SetServing("test.Echo", false);
  EXPECT_TRUE(sees(3, HealthCheckResponse::NOT_SERVING));
  client_.Do([&] { log->stream->Cancel(); });
  EXPECT_EQ(log->WaitForEnd().code, GrpcCode::kCancelled);
}

TEST_F(GrpcServicesTest, ReflectionListsServices) {
  ServerReflectionRequest request;
  request.set_list_services("");
  const ServerReflectionResponse response = Reflect(request);
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service())
    names.push_back(service.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"grpc.reflection.v1.ServerReflection",
                                      "grpc.reflection.v1alpha.ServerReflection",
                                      "test.Echo"}));
}

TEST_F(GrpcServicesTest, ReflectionFindsTheFileOfASymbolAndSaysWhenThereIsNone) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("grpc.health.v1.Health.Check");
  EXPECT_GE(Reflect(request).file_descriptor_response().file_descriptor_proto_size(), 1);
  request.set_file_containing_symbol("no.Such");
  const ServerReflectionResponse response = Reflect(request);
  EXPECT_EQ(response.error_response().error_code(), static_cast<int>(GrpcCode::kNotFound));
  EXPECT_EQ(response.original_request().file_containing_symbol(), "no.Such");
}

TEST_F(GrpcServicesTest, ReflectionRefusesDescriptorsThatDoNotParse) {
  GrpcServer server({&server_.loop()}, {});
  EXPECT_FALSE(RegisterReflection(server, "not descriptors", {}).ok());
}

}  // namespace
}  // namespace troth::net
