// The JSON bodies of HTTP and JSON-RPC: what is accepted can be stored.

#include "accepted.h"
#include "api/json_input.h"
#include "input.h"
#include "targets.h"
#include "topics.h"
#include "wire/json_reader.h"

namespace troth::fuzz {
namespace {

void CheckBody(const JsonObject& body, bool is_branch, RequestKind kind) {
  const Limits limits;
  StatusOr<Request> request = InvalidArgument("not read");
  if (is_branch) {
    if (auto input = ReadBranchInput(body); input.ok()) {
      request = MakeBranchRequest(*std::move(input), limits);
    }
  } else if (auto input = ReadTransInput(body); input.ok()) {
    input->gid = CleanGid(input->gid);
    request = MakeRequest(kind, *std::move(input), limits, TwoTopics());
  }
  if (request.ok()) CheckAccepted(*request, limits);
}

}  // namespace

void FuzzTransInput(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  if (choice % 3 == 0) return static_cast<void>(ParseStringMaps(input.rest()));
  const StatusOr<JsonObject> body = JsonObject::Parse(input.rest());
  if (!body.ok()) return;
  CheckBody(*body, choice % 3 == 1, static_cast<RequestKind>((choice / 3) % kRequestKinds));
}

}  // namespace troth::fuzz
