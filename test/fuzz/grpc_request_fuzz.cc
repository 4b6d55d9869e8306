// Messages of the gRPC API: what is accepted can be stored.

#include "accepted.h"
#include "api/grpc_input.h"
#include "input.h"
#include "targets.h"
#include "topics.h"

namespace troth::fuzz {

void FuzzGrpcRequest(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  const std::string message(input.rest());
  const Limits limits;
  const auto check = [&](const StatusOr<Request>& request) {
    if (request.ok()) CheckAccepted(*request, limits);
  };
  switch (choice % 4) {
    case 0:
      if (auto read = ReadGrpcTrans(message); read.ok()) {
        const auto kind = static_cast<RequestKind>((choice / 4) % kRequestKinds);
        check(MakeRequest(kind, *std::move(read), limits, TwoTopics()));
      }
      return;
    case 1:
      if (auto read = ReadGrpcBranch(message); read.ok()) {
        check(MakeBranchRequest(*std::move(read), limits));
      }
      return;
    default: static_cast<void>(ReadGrpcTopic(message)); return;
  }
}

}  // namespace troth::fuzz
