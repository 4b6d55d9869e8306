#include "bench/transport/grpc_client.h"

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kGrpcPrefixBytes = 5;
constexpr uint32_t kLastStream = 0x7fffffffU;

std::vector<HeaderFields> Blocks(const std::vector<Request>& requests,
                                 const std::string& authority) {
  std::vector<HeaderFields> blocks;
  for (const Request& request : requests) {
    blocks.push_back({{":method", "POST"},
                      {":scheme", "http"},
                      {":path", request.path},
                      {":authority", authority},
                      {"content-type", "application/grpc"},
                      {"user-agent", "troth-bench"},
                      {"te", "trailers"},
                      {"grpc-timeout", "30S"}});
  }
  return blocks;
}

}  // namespace

GrpcClient::GrpcClient(const std::vector<Request>& requests,
                       const std::string& authority,
                       ClientListener& listener)
    : H2Connection(End::kClient),
      requests_(requests),
      listener_(listener),
      writer_(Blocks(requests, authority)) {}

size_t GrpcClient::MessageBytes(size_t request) const {
  return requests_[request].before_gid.size() + kGidBytes + requests_[request].after_gid.size();
}

bool GrpcClient::Ready(size_t request) const {
  const auto bytes = static_cast<int64_t>(kGrpcPrefixBytes + MessageBytes(request));
  return !going_away_ && next_stream_ < kLastStream && open_.size() < streams_max() &&
         bytes <= send_window() && bytes <= stream_send_window();
}

void GrpcClient::Send(size_t request, std::string_view gid, uint32_t tag) {
  const uint32_t stream = next_stream_;
  next_stream_ += 2;
  open_.emplace(stream, Open{.tag = tag, .http_status = 0});
  const std::string_view block = writer_.Block(request);
  AppendH2Header(out_, block.size(), H2Type::kHeaders, kH2EndHeaders, stream);
  out_ += block;
  const size_t bytes = MessageBytes(request);
  AppendDataHeader(stream, kGrpcPrefixBytes + bytes, true);
  out_ += '\0';
  AppendUint32(out_, static_cast<uint32_t>(bytes));
  out_ += requests_[request].before_gid;
  out_ += gid;
  out_ += requests_[request].after_gid;
}

Status GrpcClient::OnHeaders(uint32_t stream, std::string_view block, bool end_stream) {
  TROTH_ASSIGN_OR_RETURN(const HeaderFields* fields, reader_.Read(block));
  const auto found = open_.find(stream);
  if (found == open_.end()) return OkStatus();  // reset before
  if (const std::string* status = FindField(*fields, ":status")) {
    found->second.http_status = static_cast<int>(ParseInt(*status).value_or(kNoAnswer));
  }
  if (!end_stream) return OkStatus();
  const std::string* code = FindField(*fields, "grpc-status");
  const std::string* text = FindField(*fields, "grpc-message");
  if (code == nullptr || found->second.http_status != 200) {
    Finish(stream, kNoAnswer, "an answer that is not gRPC's");
  } else {
    const auto number = static_cast<int>(ParseInt(*code).value_or(kNoAnswer));
    Finish(stream, number, text == nullptr ? std::string_view() : *text);
  }
  return OkStatus();
}

Status GrpcClient::OnData(uint32_t stream, std::string_view bytes, bool end_stream) {
  static_cast<void>(bytes);
  if (end_stream) Finish(stream, kNoAnswer, "an answer without trailers");
  return OkStatus();
}

void GrpcClient::OnReset(uint32_t stream, uint32_t error) {
  Finish(stream, kNoAnswer, Cat("RST_STREAM, error ", error));
}

// What the peer will not handle ends now, the rest is waited for; nothing new is sent.
void GrpcClient::OnGoAway(uint32_t last_stream, uint32_t error) {
  going_away_ = true;
  std::vector<uint32_t> refused;
  for (const auto& [stream, open] : open_) {
    if (stream > last_stream) refused.push_back(stream);
  }
  for (const uint32_t stream : refused) Finish(stream, kNoAnswer, Cat("GOAWAY, error ", error));
}

void GrpcClient::Finish(uint32_t stream, int code, std::string_view text) {
  const auto found = open_.find(stream);
  if (found == open_.end()) return;
  const uint32_t tag = found->second.tag;
  open_.erase(found);
  listener_.OnAnswer({.tag = tag, .code = code, .text = text});
}

}  // namespace troth::bench
