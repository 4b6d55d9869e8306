#include <array>
#include <list>
#include <utility>

#include "base/text.h"
#include "net/grpc_client_internal.h"
#include "net/grpc_wire.h"

namespace troth::net {

namespace {

constexpr size_t kHeaderOverheadBytes = 32;  // as RFC 9113 counts
// A timeout in whole multiples of this is probably always the same: worth a place in the
// compression table.
constexpr Duration kRoundTimeout = std::chrono::milliseconds(100);

std::string_view ErrorName(Http2Error error) {
  switch (error) {
    case Http2Error::kNone: return "NO_ERROR";
    case Http2Error::kProtocol: return "PROTOCOL_ERROR";
    case Http2Error::kInternal: return "INTERNAL_ERROR";
    case Http2Error::kFlowControl: return "FLOW_CONTROL_ERROR";
    case Http2Error::kStreamClosed: return "STREAM_CLOSED";
    case Http2Error::kFrameSize: return "FRAME_SIZE_ERROR";
    case Http2Error::kRefusedStream: return "REFUSED_STREAM";
    case Http2Error::kCancel: return "CANCEL";
    case Http2Error::kCompression: return "COMPRESSION_ERROR";
    case Http2Error::kEnhanceYourCalm: return "ENHANCE_YOUR_CALM";
    case Http2Error::kInadequateSecurity: return "INADEQUATE_SECURITY";
  }
  return "an error code of its own";
}

// The headers of one request; a fixed array holds what nearly all have.
class RequestHeaders {
 public:
  void Add(const Http2Header& header) {
    if (size_ < few_.size()) {
      few_[size_++] = header;
      return;
    }
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(header);
  }
  std::span<const Http2Header> view() const {
    return many_.empty() ? std::span(few_.data(), size_) : std::span<const Http2Header>(many_);
  }

 private:
  std::array<Http2Header, 20> few_;
  size_t size_ = 0;
  std::vector<Http2Header> many_;
};

}  // namespace

GrpcClientCall::GrpcClientCall(ChannelImpl& channel, UnaryDone done)
    : channel_(&channel),
      done_(std::move(done)),
      reader_(channel.options().limits.message_bytes_max) {}

GrpcClientCall::GrpcClientCall(ChannelImpl& channel, std::shared_ptr<ClientStreamHandler> handler)
    : channel_(&channel),
      handler_(std::move(handler)),
      reader_(channel.options().limits.message_bytes_max) {}

void GrpcClientCall::StartDeadline(Duration timeout) {
  if (timeout <= Duration::zero()) return;
  timeout_ = timeout;
  deadline_ = channel_->loop().turn_time() + timeout;
  deadline_timer_.emplace(channel_->loop(), [this] {
    End({GrpcCode::kDeadlineExceeded, "context deadline exceeded"});
  });
  deadline_timer_->ArmAfter(timeout);
}

// --- the request goes out

void GrpcClientCall::Keep(const UnaryCall& call) {
  wait_for_ready_ = call.wait_for_ready;
  auto kept = std::make_unique<Kept>();
  kept->path = call.path;
  for (const MetadataView& entry : call.metadata) {
    kept->metadata.emplace_back(entry.key, entry.value);
    kept->never_index.push_back(entry.never_index);
  }
  kept_ = std::move(kept);
  if (done_ == nullptr) return;
  early_data_ = MessagePrefix(call.message.size());
  early_data_ += call.message;
}

void GrpcClientCall::OpenKept(GrpcClientConnection& connection) {
  const auto kept = std::exchange(kept_, nullptr);
  std::vector<MetadataView> metadata;
  for (size_t i = 0; i < kept->metadata.size(); ++i) {
    const auto& [key, value] = kept->metadata[i];
    metadata.push_back({key, value, kept->never_index[i]});
  }
  const std::string data = std::exchange(early_data_, {});
  UnaryCall call;
  call.path = kept->path;
  call.metadata = metadata;
  if (done_ != nullptr) call.message = std::string_view(data).substr(MessagePrefix(0).size());
  if (timeout_ > Duration::zero()) {
    timeout_ = std::chrono::duration_cast<Duration>(deadline_ - channel_->loop().turn_time());
  }
  const Status opened = Open(call, connection);
  if (!opened.ok()) return End({GrpcCode::kUnavailable, std::string(Message(opened))});
  if (done_ != nullptr) return;
  SendData(data);
  if (closed_send_) EndSend();
}

Status GrpcClientCall::Open(const UnaryCall& call, GrpcClientConnection& connection) {
  const bool tls = channel_->options().tls != nullptr;
  RequestHeaders headers;
  headers.Add({":method", "POST"});
  headers.Add({":scheme", tls ? "https" : "http"});
  headers.Add({":path", call.path});
  headers.Add({":authority", channel_->authority()});
  headers.Add({"te", "trailers"});
  headers.Add({"content-type", "application/grpc"});
  headers.Add({"user-agent", channel_->options().user_agent});
  std::string timeout;
  if (deadline_timer_) {
    timeout = FormatGrpcTimeout(timeout_);
    const bool unique = timeout_.count() % kRoundTimeout.count() != 0;
    headers.Add({"grpc-timeout", timeout, unique});
  }
  std::list<std::string> encoded;  // views into it stay valid; empty, it takes no memory
  for (const MetadataView& entry : call.metadata) {
    std::string_view value = entry.value;
    if (IsBinaryKey(entry.key)) value = encoded.emplace_back(EncodeBinaryValue(value));
    headers.Add({entry.key, value, entry.never_index});
  }
  TROTH_RETURN_IF_ERROR(connection.session().Open(shared_from_this(), headers.view(), false));
  connection_ = &connection;
  never_handled_ = false;
  if (done_ == nullptr) return OkStatus();
  SendData(MessagePrefix(call.message.size()));
  SendData(call.message);
  EndSend();
  return OkStatus();
}

void GrpcClientCall::Write(std::string message) {
  if (ended() || closed_send_) return;
  const size_t bytes_max = channel_->options().limits.write_buffer_bytes_max;
  if (unsent_bytes() > 2 * bytes_max) {
    return End({GrpcCode::kResourceExhausted, "the server reads too slowly for what was written"});
  }
  if (connection_ == nullptr) {
    early_data_ += MessagePrefix(message.size());
    early_data_ += message;
    return;
  }
  SendData(MessagePrefix(message.size()));
  SendData(std::move(message));
  if (unsent_bytes() > bytes_max / 4) NotifyUnsentBelow(bytes_max / 4);
}

void GrpcClientCall::CloseSend() {
  if (std::exchange(closed_send_, true) || connection_ == nullptr) return;
  EndSend();
}

void GrpcClientCall::Cancel() { End({GrpcCode::kCancelled, "context canceled"}); }

void GrpcClientCall::OnUnsentBelow() {
  if (!ended()) handler_->OnWritable();
}

// --- the answer comes in

void GrpcClientCall::OnHeader(std::string_view name, std::string_view value) {
  if (ended()) return;
  header_bytes_ += name.size() + value.size() + kHeaderOverheadBytes;
  if (header_bytes_ > channel_->options().limits.header_bytes_max) {
    answer_error_ = {GrpcCode::kResourceExhausted, "the answer's headers are too large"};
    return;
  }
  if (name == ":status") {
    http_status_ = static_cast<int>(ParseInt(value).value_or(0));
  } else if (name == "grpc-status") {
    code_ = ParseGrpcCode(value);
  } else if (name == "grpc-message") {
    status_message_ = DecodeGrpcMessage(value);
  } else if (name == "content-type") {
    is_grpc_content_ = IsGrpcContentType(value);
    if (!is_grpc_content_) content_type_ = value;
  } else if (name == "grpc-encoding") {
    if (reader_.SetEncoding(value)) return;
    answer_error_ = {GrpcCode::kInternal,
                     Cat("the answer's grpc-encoding \"", value, "\" is unknown")};
  } else if (!name.starts_with("grpc-")) {
    const Status added = AddReceived(name, value, headers_);
    if (!added.ok()) answer_error_ = {GrpcCode::kInternal, std::string(Message(added))};
  }
}

void GrpcClientCall::OnHeadersEnd(bool end_stream) {
  if (ended()) return;
  if (!answer_error_.ok()) return End(answer_error_);
  const bool informational = http_status_ >= 100 && http_status_ < 200;
  if (informational && !initial_done_) return headers_.clear();
  if (initial_done_ || end_stream) {
    result_.trailers = std::exchange(headers_, {});
    return;  // OnHalfClose follows
  }
  initial_done_ = true;
  OnInitialHeaders();
}

void GrpcClientCall::OnInitialHeaders() {
  if (http_status_ != 200 || !is_grpc_content_) return End(FinalStatus());
  if (handler_ != nullptr) return handler_->OnInitialMetadata(std::exchange(headers_, {}));
  result_.initial_metadata = std::exchange(headers_, {});
}

void GrpcClientCall::OnData(std::string_view bytes) {
  while (!ended()) {
    std::string message;
    switch (reader_.Next(bytes, message)) {
      case MessageReader::Result::kNeedsMore: return;
      case MessageReader::Result::kError: return End(reader_.error());
      case MessageReader::Result::kMessage: OnMessage(std::move(message)); break;
    }
  }
}

void GrpcClientCall::OnMessage(std::string message) {
  if (handler_ != nullptr) return handler_->OnMessage(std::move(message));
  if (std::exchange(has_message_, true)) {
    return End({GrpcCode::kInternal, "the server answered a unary call with several messages"});
  }
  result_.message = std::move(message);
}

void GrpcClientCall::OnHalfClose() {
  if (ended()) return;
  GrpcStatus status = FinalStatus();
  if (status.ok() && !reader_.at_boundary()) {
    status = {GrpcCode::kInternal, "the answer ended in the middle of a message"};
  } else if (status.ok() && done_ != nullptr && !has_message_) {
    status = {GrpcCode::kInternal, "the server answered OK without a message"};
  }
  Complete(std::move(status));
}

// From the headers that came: the gRPC status, else what HTTP says.
GrpcStatus GrpcClientCall::FinalStatus() const {
  if (code_) return {*code_, status_message_};
  if (http_status_ != 200) {
    return {CodeOfHttpStatus(http_status_),
            Cat("unexpected HTTP status code received from server: ", http_status_)};
  }
  if (!is_grpc_content_) {
    return {GrpcCode::kUnknown,
            Cat("transport: received unexpected content-type \"", content_type_, "\"")};
  }
  return {GrpcCode::kInternal, "server closed the stream without sending trailers"};
}

// --- the end

void GrpcClientCall::OnClose(const Http2Close& close) {
  if (ended()) return;
  never_handled_ = close.never_handled;
  Complete(StatusOfClose(close));
}

GrpcStatus GrpcClientCall::StatusOfClose(const Http2Close& close) const {
  if (close.connection_lost) {
    return {GrpcCode::kUnavailable, std::string(Message(connection_->close_reason()))};
  }
  if (close.never_handled) return {GrpcCode::kUnavailable, "the server refused the stream"};
  return {CodeOfHttp2Error(close.error),
          Cat("stream terminated by RST_STREAM with error code: ", ErrorName(close.error))};
}

void GrpcClientCall::End(GrpcStatus status) {
  if (ended()) return;
  Reset(Http2Error::kCancel);
  Complete(std::move(status));
}

void GrpcClientCall::Complete(GrpcStatus status) {
  const auto keep_alive = shared_from_this();
  if (!send_finished()) Reset(Http2Error::kCancel);  // nobody waits for the rest of the request
  if (deadline_timer_) deadline_timer_->Cancel();
  std::exchange(channel_, nullptr)->Forget(*this);
  if (const auto handler = std::exchange(handler_, nullptr)) {
    return handler->OnEnd(status, result_.trailers);
  }
  result_.status = std::move(status);
  result_.maybe_sent = !never_handled_;
  if (!result_.status.ok()) result_.message.clear();
  std::exchange(done_, nullptr)(std::move(result_));
}

}  // namespace troth::net
