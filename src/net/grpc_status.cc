#include "net/grpc_status.h"

#include <array>

#include "base/text.h"

namespace troth::net {

namespace {

struct CodeNames {
  std::string_view upper;
  std::string_view go;
};

// In the order of the codes, 0 to 16.
constexpr std::array<CodeNames, 17> kNames = {{
    {"OK", "OK"},
    {"CANCELLED", "Canceled"},
    {"UNKNOWN", "Unknown"},
    {"INVALID_ARGUMENT", "InvalidArgument"},
    {"DEADLINE_EXCEEDED", "DeadlineExceeded"},
    {"NOT_FOUND", "NotFound"},
    {"ALREADY_EXISTS", "AlreadyExists"},
    {"PERMISSION_DENIED", "PermissionDenied"},
    {"RESOURCE_EXHAUSTED", "ResourceExhausted"},
    {"FAILED_PRECONDITION", "FailedPrecondition"},
    {"ABORTED", "Aborted"},
    {"OUT_OF_RANGE", "OutOfRange"},
    {"UNIMPLEMENTED", "Unimplemented"},
    {"INTERNAL", "Internal"},
    {"UNAVAILABLE", "Unavailable"},
    {"DATA_LOSS", "DataLoss"},
    {"UNAUTHENTICATED", "Unauthenticated"},
}};

}  // namespace

std::optional<std::string_view> Find(const Metadata& metadata, std::string_view key) {
  for (const auto& [name, value] : metadata) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::string_view GrpcCodeName(GrpcCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index].upper : "UNKNOWN";
}

std::string GrpcErrorText(const GrpcStatus& status) {
  const auto index = static_cast<size_t>(status.code);
  std::string text = "rpc error: code = ";
  if (index < kNames.size()) {
    text += kNames[index].go;
  } else {
    CatTo(text, "Code(", index, ")");
  }
  CatTo(text, " desc = ", status.message);
  return text;
}

}  // namespace troth::net
