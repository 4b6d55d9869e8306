#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "net/grpc_server.h"

namespace troth::net {
namespace {

namespace pb = google::protobuf;
// v1alpha has the same fields under the same numbers: one set of messages serves both.
using grpc::reflection::v1::ExtensionRequest;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

constexpr std::string_view kReflectionServices[] = {"grpc.reflection.v1.ServerReflection",
                                                    "grpc.reflection.v1alpha.ServerReflection"};

// Answers of one stream that its client has not read yet; past it the client is told to read first.
constexpr size_t kUnreadBytesMax = 4 << 20;

// Keeps what is wrong with a descriptor set.
class Problems final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file,
                const std::string& element,
                const pb::Message*,
                ErrorLocation,
                const std::string& message) override {
    CatTo(text_, text_.empty() ? "" : "; ", file, ": ", element, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What can be asked about. Read-only once made, so any loop may use it.
class Reflection {
 public:
  explicit Reflection(std::vector<std::string> services)
      : pool_(&files_, &problems_), services_(std::move(services)) {
    for (const std::string_view own : kReflectionServices) services_.emplace_back(own);
    std::sort(services_.begin(), services_.end());
    services_.erase(std::unique(services_.begin(), services_.end()), services_.end());
  }

  Status Load(std::string_view file_descriptor_set);
  ServerReflectionResponse Answer(const ServerReflectionRequest& request) const;

 private:
  void AddOwn(const pb::FileDescriptor* file);
  void AnswerFile(const pb::FileDescriptor* file,
                  std::string_view asked,
                  ServerReflectionResponse& response) const;
  void AnswerExtension(const ExtensionRequest& asked, ServerReflectionResponse& response) const;
  void AnswerExtensionNumbers(const std::string& type, ServerReflectionResponse& response) const;
  void AnswerServices(ServerReflectionResponse& response) const;

  pb::SimpleDescriptorDatabase files_;
  Problems problems_;
  pb::DescriptorPool pool_;
  std::vector<std::string> services_;
};

void SetNotFound(std::string_view what, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(static_cast<int>(GrpcCode::kNotFound));
  response.mutable_error_response()->set_error_message(Cat("not found: ", what));
}

// The file and everything it imports, each once.
void AddWithImports(const pb::FileDescriptor& file,
                    std::set<std::string>& added,
                    grpc::reflection::v1::FileDescriptorResponse& response) {
  if (!added.insert(file.name()).second) return;
  pb::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i)
    AddWithImports(*file.dependency(i), added, response);
}

Status Reflection::Load(std::string_view file_descriptor_set) {
  pb::FileDescriptorSet set;
  if (!set.ParseFromArray(file_descriptor_set.data(),
                          static_cast<int>(file_descriptor_set.size()))) {
    return InvalidArgument("reflection needs a serialized google.protobuf.FileDescriptorSet");
  }
  for (const pb::FileDescriptorProto& file : set.file()) files_.Add(file);
  AddOwn(grpc::health::v1::HealthCheckRequest::descriptor()->file());
  AddOwn(ServerReflectionRequest::descriptor()->file());
  AddOwn(grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file());
  for (const pb::FileDescriptorProto& file : set.file()) {
    if (pool_.FindFileByName(file.name()) == nullptr) {
      return InvalidArgument(Cat("reflection cannot use ", file.name(), ": ", problems_.text()));
    }
  }
  return OkStatus();
}

// A set that brings the file itself wins.
void Reflection::AddOwn(const pb::FileDescriptor* file) {
  pb::FileDescriptorProto proto;
  if (files_.FindFileByName(file->name(), &proto)) return;
  file->CopyTo(&proto);
  files_.Add(proto);
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(
          pool_.FindFileByName(request.file_by_filename()), request.file_by_filename(), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(pool_.FindFileContainingSymbol(request.file_containing_symbol()),
                 request.file_containing_symbol(),
                 response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      AnswerExtension(request.file_containing_extension(), response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      AnswerExtensionNumbers(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices: AnswerServices(response); break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(
          static_cast<int>(GrpcCode::kInvalidArgument));
      response.mutable_error_response()->set_error_message(
          "the request asks for nothing this server knows");
      break;
  }
  return response;
}

void Reflection::AnswerFile(const pb::FileDescriptor* file,
                            std::string_view asked,
                            ServerReflectionResponse& response) const {
  if (file == nullptr) return SetNotFound(asked, response);
  std::set<std::string> added;
  AddWithImports(*file, added, *response.mutable_file_descriptor_response());
}

void Reflection::AnswerExtension(const ExtensionRequest& asked,
                                 ServerReflectionResponse& response) const {
  const pb::Descriptor* type = pool_.FindMessageTypeByName(asked.containing_type());
  const pb::FieldDescriptor* extension =
      type != nullptr ? pool_.FindExtensionByNumber(type, asked.extension_number()) : nullptr;
  AnswerFile(extension != nullptr ? extension->file() : nullptr,
             Cat("extension ", asked.extension_number(), " of ", asked.containing_type()),
             response);
}

void Reflection::AnswerExtensionNumbers(const std::string& type,
                                        ServerReflectionResponse& response) const {
  const pb::Descriptor* descriptor = pool_.FindMessageTypeByName(type);
  if (descriptor == nullptr) return SetNotFound(type, response);
  std::vector<const pb::FieldDescriptor*> extensions;
  pool_.FindAllExtensions(descriptor, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const pb::FieldDescriptor* extension : extensions)
    numbers.add_extension_number(extension->number());
  std::sort(numbers.mutable_extension_number()->begin(), numbers.mutable_extension_number()->end());
}

void Reflection::AnswerServices(ServerReflectionResponse& response) const {
  auto& list = *response.mutable_list_services_response();
  for (const std::string& service : services_) list.add_service()->set_name(service);
}

// One ServerReflectionInfo call.
class ReflectionStream final : public ServerStreamHandler {
 public:
  ReflectionStream(std::shared_ptr<const Reflection> reflection, std::shared_ptr<ServerCall> call)
      : reflection_(std::move(reflection)), call_(std::move(call)) {}

  void OnMessage(std::string message) override {
    ServerReflectionRequest request;
    if (!request.ParseFromString(message)) {
      return call_->Finish(
          {GrpcCode::kInvalidArgument, "the message is not a ServerReflectionRequest"});
    }
    if (call_->unsent_bytes() > kUnreadBytesMax) {
      return call_->Finish({GrpcCode::kResourceExhausted, "read the answers before asking on"});
    }
    call_->Write(reflection_->Answer(request).SerializeAsString());
  }
  void OnHalfClose() override { call_->Finish({}); }

 private:
  const std::shared_ptr<const Reflection> reflection_;
  const std::shared_ptr<ServerCall> call_;
};

}  // namespace

Status RegisterReflection(GrpcServer& server,
                          std::string_view file_descriptor_set,
                          std::vector<std::string> services) {
  const auto reflection = std::make_shared<Reflection>(std::move(services));
  TROTH_RETURN_IF_ERROR(reflection->Load(file_descriptor_set));
  for (const std::string_view service : kReflectionServices) {
    server.AddStream(Cat("/", service, "/ServerReflectionInfo"),
                     [reflection](std::shared_ptr<ServerCall> call) {
                       return std::make_unique<ReflectionStream>(reflection, std::move(call));
                     });
  }
  return OkStatus();
}

}  // namespace troth::net
