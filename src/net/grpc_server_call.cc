#include <array>
#include <utility>

#include "base/text.h"
#include "net/grpc_server_internal.h"
#include "net/grpc_wire.h"

namespace troth::net {

namespace {

constexpr Http2Header kStatusOk = {":status", "200"};
constexpr Http2Header kContentType = {"content-type", "application/grpc"};
constexpr Http2Header kAcceptEncoding = {"grpc-accept-encoding", "gzip"};
constexpr std::string_view kNotPostText = "this port speaks gRPC: requests are POST\n";
constexpr std::string_view kNotGrpcText =
    "this port speaks gRPC: the content-type must be application/grpc\n";
// What RFC 9113 counts for a header besides its name and value.
constexpr size_t kHeaderOverheadBytes = 32;

}  // namespace

GrpcServerCall::GrpcServerCall(std::shared_ptr<GrpcServerConnection> connection)
    : connection_(std::move(connection)),
      reader_(connection_->server().options.limits.message_bytes_max) {}

std::optional<std::chrono::steady_clock::time_point> GrpcServerCall::deadline() const {
  if (!timeout_) return std::nullopt;
  return deadline_;
}

// --- the request comes in

void GrpcServerCall::OnHeader(std::string_view name, std::string_view value) {
  if (headers_done_) return;  // trailers of a request mean nothing in gRPC
  header_bytes_ += name.size() + value.size() + kHeaderOverheadBytes;
  const uint32_t bytes_max = connection_->server().options.limits.header_bytes_max;
  if (header_bytes_ <= bytes_max) return OnRequestHeader(name, value);
  if (!request_error_.ok()) return;
  request_error_ = {GrpcCode::kResourceExhausted,
                    Cat("request headers are larger than the limit of ", bytes_max, " bytes")};
}

void GrpcServerCall::OnRequestHeader(std::string_view name, std::string_view value) {
  if (name == ":path") {
    path_ = value;
  } else if (name == ":method") {
    is_post_ = value == "POST";
  } else if (name == "content-type") {
    is_grpc_content_ = IsGrpcContentType(value);
  } else if (name == "grpc-timeout") {
    timeout_ = ParseGrpcTimeout(value);
    if (!timeout_) request_error_ = {GrpcCode::kInternal, Cat("malformed grpc-timeout: ", value)};
  } else if (name == "grpc-encoding") {
    encoding_known_ = reader_.SetEncoding(value);
    if (!encoding_known_) {
      request_error_ = {
          GrpcCode::kUnimplemented,
          Cat("grpc: Decompressor is not installed for grpc-encoding \"", value, "\"")};
    }
  } else if (!name.starts_with(':') && !name.starts_with("grpc-") && name != "te") {
    const Status added = AddReceived(name, value, metadata_);
    if (!added.ok()) request_error_ = {added.code(), std::string(Message(added))};
  }
}

void GrpcServerCall::OnHeadersEnd(bool) {
  if (std::exchange(headers_done_, true) || !IsGrpc() || RefuseBadRequest()) return;
  if (timeout_) {
    deadline_ = loop().turn_time() + *timeout_;
    deadline_timer_.emplace(loop(), [this] { OnDeadline(); });
    deadline_timer_->ArmAfter(*timeout_);
  }
  if (const auto* stream = std::get_if<StreamMethod>(method_))
    handler_ = (*stream)(shared_from_this());
}

bool GrpcServerCall::RefuseBadRequest() {
  if (!request_error_.ok()) {
    Finish(request_error_);
  } else if (connection_->server().destroyed) {
    Finish({GrpcCode::kUnavailable, "the server has stopped"});
  } else {
    method_ = connection_->server().FindMethod(path_, request_error_);
    if (method_ == nullptr) Finish(request_error_);
  }
  return finished_;
}

void GrpcServerCall::OnData(std::string_view bytes) {
  if (!IsGrpc()) return;
  while (CanSend()) {
    const size_t buffered = reader_.buffered();
    std::string message;
    const MessageReader::Result result = reader_.Next(bytes, message);
    if (!connection_->Buffer(buffered, reader_.buffered())) {
      return Finish(
          {GrpcCode::kResourceExhausted, "too many incomplete messages on this connection"});
    }
    switch (result) {
      case MessageReader::Result::kNeedsMore: return;
      case MessageReader::Result::kError: return Finish(reader_.error());
      case MessageReader::Result::kMessage: OnMessage(std::move(message)); break;
    }
  }
}

void GrpcServerCall::OnMessage(std::string message) {
  if (handler_ != nullptr) return handler_->OnMessage(std::move(message));
  if (std::exchange(has_message_, true)) {
    return Finish({GrpcCode::kInternal, "a unary call has only one request message"});
  }
  message_ = std::move(message);
}

void GrpcServerCall::OnHalfClose() {
  if (!CanSend()) return;
  if (!IsGrpc()) return RefuseHttp();
  if (!reader_.at_boundary()) {
    return Finish({GrpcCode::kInternal, "the request ended in the middle of a message"});
  }
  if (handler_ != nullptr) return handler_->OnHalfClose();
  StartUnary();
}

void GrpcServerCall::StartUnary() {
  if (!has_message_) return Finish({GrpcCode::kInternal, "the request has no message"});
  std::get<UnaryMethod> (*method_)(shared_from_this(), std::move(message_));
}

// --- the answer goes out

void GrpcServerCall::AddInitialMetadata(std::string_view key, std::string_view value) {
  if (answering_) return;
  initial_metadata_.emplace_back(key,
                                 IsBinaryKey(key) ? EncodeBinaryValue(value) : std::string(value));
}

void GrpcServerCall::AddTrailer(std::string_view key, std::string_view value) {
  if (finished_) return;
  trailers_.emplace_back(key, IsBinaryKey(key) ? EncodeBinaryValue(value) : std::string(value));
}

void GrpcServerCall::Write(std::string message) {
  if (!CanSend()) return;
  const size_t bytes_max = connection_->server().options.limits.write_buffer_bytes_max;
  if (unsent_bytes() > 2 * bytes_max) return Reset(Http2Error::kEnhanceYourCalm);
  if (!answering_) SendResponseHeaders(false);
  SendData(MessagePrefix(message.size()));
  SendData(std::move(message));
  if (unsent_bytes() > bytes_max / 4) NotifyUnsentBelow(bytes_max / 4);
}

void GrpcServerCall::FinishOk(std::string_view message) {
  if (!CanSend()) return;
  finished_ = true;
  watched_.End(loop(), true);
  if (!answering_) SendResponseHeaders(false);
  SendData(MessagePrefix(message.size()));
  SendData(message);
  EndWithTrailers();
}

// To a client that does not speak gRPC: an answer for people to read. It comes when the request is
// whole, so that faults in its frames are told rather than overtaken by the answer.
void GrpcServerCall::RefuseHttp() {
  finished_ = answering_ = true;
  const std::array<Http2Header, 2> headers = {
      Http2Header{":status", is_post_ ? "415" : "405"},
      Http2Header{"content-type", "text/plain; charset=utf-8"}};
  SendHeaders(headers, false);
  SendData(is_post_ ? kNotGrpcText : kNotPostText);
  EndSend();
}

void GrpcServerCall::Finish(const GrpcStatus& status) {
  if (!CanSend()) return;
  finished_ = true;
  watched_.End(loop(), status.ok());
  status_ = status;
  if (!status.message.empty()) encoded_message_ = EncodeGrpcMessage(status.message);
  if (!answering_) return SendResponseHeaders(true);
  EndWithTrailers();
}

// With `end` the status goes into the same block: "trailers only".
void GrpcServerCall::SendResponseHeaders(bool end) {
  answering_ = true;
  const std::array<Http2Header, 2> usual = {kStatusOk, kContentType};
  if (!end && initial_metadata_.empty()) return SendHeaders(usual, false);
  std::vector<Http2Header> headers(usual.begin(), usual.end());
  if (!encoding_known_) headers.push_back(kAcceptEncoding);
  for (const auto& [key, value] : initial_metadata_)
    headers.push_back({.name = key, .value = value});
  if (end) AddTrailers(headers);
  SendHeaders(headers, end);
}

void GrpcServerCall::AddTrailers(std::vector<Http2Header>& trailers) {
  trailers.push_back({"grpc-status", GrpcCodeText(status_.code)});
  if (!encoded_message_.empty()) {
    trailers.push_back({.name = "grpc-message", .value = encoded_message_, .never_index = true});
  }
  for (const auto& [key, value] : trailers_) {
    trailers.push_back({.name = key, .value = value, .never_index = true});
  }
}

void GrpcServerCall::OnUnsentBelow() {
  if (handler_ != nullptr && CanSend()) handler_->OnWritable();
}

// --- the end

void GrpcServerCall::OnDeadline() {
  const auto keep_alive = shared_from_this();
  if (!CanSend()) return;
  Cancel();
  cancelled_ = false;  // for one last word
  Finish({GrpcCode::kDeadlineExceeded, "context deadline exceeded"});
  cancelled_ = true;
}

void GrpcServerCall::Cancel() {
  if (std::exchange(cancelled_, true)) return;
  if (handler_ != nullptr && !connection_->server().destroyed) handler_->OnCancel();
}

void GrpcServerCall::OnClose(const Http2Close&) {
  deadline_timer_.reset();
  connection_->Buffer(reader_.buffered(), 0);
  if (!finished_) Cancel();
  cancelled_ = true;
  handler_.reset();
}

}  // namespace troth::net
