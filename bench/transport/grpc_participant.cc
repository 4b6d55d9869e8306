#include "bench/transport/grpc_participant.h"

#include <string_view>

namespace troth::bench {
namespace {

// An empty message: not compressed, no bytes.
constexpr std::string_view kEmptyMessage("\0\0\0\0\0", 5);

enum Blocks : size_t { kAnswerHeaders, kOkTrailers, kRefusal };

std::vector<HeaderFields> AnswerBlocks() {
  const HeaderField ok = {":status", "200"};
  const HeaderField content_type = {"content-type", "application/grpc"};
  return {{ok, content_type},
          {{"grpc-status", "0"}},
          {ok, content_type, {"grpc-status", "10"}, {"grpc-message", "FAILURE"}}};
}

}  // namespace

GrpcParticipant::GrpcParticipant(Behaviour behaviour, ParticipantCounts& counts)
    : H2Connection(End::kServer), behaviour_(behaviour), counts_(counts), writer_(AnswerBlocks()) {}

Status GrpcParticipant::OnHeaders(uint32_t stream, std::string_view block, bool end_stream) {
  if (paths_read_ < kPathsRead) TROTH_RETURN_IF_ERROR(CountPath(block));
  if (end_stream) Answer(stream);
  return OkStatus();
}

// Blocks build on those before: reading the first ones is possible, picking some is not.
Status GrpcParticipant::CountPath(std::string_view block) {
  ++paths_read_;
  TROTH_ASSIGN_OR_RETURN(const HeaderFields* fields, reader_.Read(block));
  if (const std::string* path = FindField(*fields, ":path")) ++counts_.paths[*path];
  return OkStatus();
}

Status GrpcParticipant::OnData(uint32_t stream, std::string_view bytes, bool end_stream) {
  static_cast<void>(bytes);
  if (end_stream) Answer(stream);
  return OkStatus();
}

// The caller gave a call up, which was answered already or waits for the window.
void GrpcParticipant::OnReset(uint32_t stream, uint32_t error) {
  static_cast<void>(error);
  std::erase(waiting_, stream);
}

// The caller opens no new streams; those that are open get their answers.
void GrpcParticipant::OnGoAway(uint32_t last_stream, uint32_t error) {
  static_cast<void>(last_stream);
  static_cast<void>(error);
}

void GrpcParticipant::Answer(uint32_t stream) {
  ++counts_.calls;
  if (behaviour_ == Behaviour::kRefuses) return Refuse(stream);
  const auto bytes = static_cast<int64_t>(kEmptyMessage.size());
  if (send_window() < bytes || stream_send_window() < bytes) {
    waiting_.push_back(stream);
  } else {
    Accept(stream);
  }
}

void GrpcParticipant::OnWindow() {
  const auto bytes = static_cast<int64_t>(kEmptyMessage.size());
  while (!waiting_.empty() && send_window() >= bytes && stream_send_window() >= bytes) {
    Accept(waiting_.front());
    waiting_.pop_front();
  }
}

void GrpcParticipant::Accept(uint32_t stream) {
  AppendHeaders(stream, kAnswerHeaders, false);
  AppendDataHeader(stream, kEmptyMessage.size(), false);
  out_ += kEmptyMessage;
  AppendHeaders(stream, kOkTrailers, true);
}

void GrpcParticipant::Refuse(uint32_t stream) { AppendHeaders(stream, kRefusal, true); }

void GrpcParticipant::AppendHeaders(uint32_t stream, size_t block, bool end_stream) {
  const std::string_view bytes = writer_.Block(block);
  const uint8_t flags = kH2EndHeaders | (end_stream ? kH2EndStream : 0);
  AppendH2Header(out_, bytes.size(), H2Type::kHeaders, flags, stream);
  out_ += bytes;
}

}  // namespace troth::bench
