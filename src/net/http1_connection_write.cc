// The answering half of a server connection.

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/http1_call_internal.h"
#include "net/http1_connection_internal.h"
#include "net/http1_text_internal.h"

namespace troth::net {

using boost::system::error_code;

namespace {

// Buffers that grew beyond this are given back once they are empty.
constexpr size_t kKeptBufferBytesMax = 64 << 10;

bool HasNoBody(int status) { return status == 204 || status == 304; }

// A handler's answer that would break the connection's framing or smuggle headers is a bug in it.
bool IsSendable(const HttpResponse& response) {
  return response.status >= 200 && response.status <= 999 &&
         IsHttpFieldValue(response.content_type) &&
         std::all_of(response.headers.begin(), response.headers.end(), [](const auto& header) {
           return IsHttpToken(header.first) && IsHttpFieldValue(header.second);
         });
}

HttpResponse PlainText(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = Cat(text, "\n");
  return response;
}

bool AsksToClose(const HttpResponse& response) {
  const auto connection = FindHeader(response.headers, "Connection");
  return connection && HasListToken(*connection, "close");
}

}  // namespace

std::string_view HttpServerLoop::DateHeader() {
  const time_t now = time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    date_header_.assign(text,
                        strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc));
  }
  return date_header_;
}

void HttpConnection::AppendHead(const HttpResponse& response,
                                std::optional<uint64_t> content_length) {
  if (home_->draining || AsksToClose(response)) keep_alive_ = false;
  CatTo(out_, "HTTP/1.1 ", response.status, " ", ReasonPhrase(response.status), "\r\n");
  out_ += home_->DateHeader();
  if (!keep_alive_) {
    out_ += "Connection: close\r\n";
  } else if (http_1_0_) {
    out_ += "Connection: keep-alive\r\n";
  }
  if (!HasNoBody(response.status)) {
    if (!response.content_type.empty())
      CatTo(out_, "Content-Type: ", response.content_type, "\r\n");
    if (content_length) {
      CatTo(out_, "Content-Length: ", *content_length, "\r\n");
    } else if (chunked_) {
      out_ += "Transfer-Encoding: chunked\r\n";
    }
  }
  for (const auto& [name, value] : response.headers) {
    if (!IsFramingHeader(name)) CatTo(out_, name, ": ", value, "\r\n");
  }
  out_ += "\r\n";
}

void HttpConnection::Respond(uint64_t exchange, HttpResponse response) {
  if (state_ != State::kAnswering || exchange != requests_) return;
  if (!IsSendable(response)) {
    LogError("answer has an impossible status or header", {{"status", response.status}});
    response = PlainText(500, "internal error: the answer could not be sent");
  }
  AppendHead(response, response.body.size());
  if (!head_request_ && !HasNoBody(response.status)) out_ += response.body;
  AnswerDone();
}

void HttpConnection::Refuse(const HttpRefusal& refusal) {
  keep_alive_ = false;
  const HttpResponse response = PlainText(refusal.status, refusal.text);
  AppendHead(response, response.body.size());
  out_ += response.body;
  Finish();
}

void HttpConnection::StartStream(uint64_t exchange, HttpResponse head) {
  if (state_ != State::kAnswering || exchange != requests_) return;
  if (peer_ended_) return Close();
  if (!IsSendable(head)) {
    LogError("answer has an impossible status or header", {{"status", head.status}});
    return Respond(exchange, PlainText(500, "internal error: the answer could not be sent"));
  }
  state_ = State::kStreaming;
  chunked_ = !http_1_0_;
  if (!chunked_) keep_alive_ = false;  // the end of the connection is the end of the answer
  stream_has_body_ = !head_request_ && !HasNoBody(head.status);
  AppendHead(head, std::nullopt);
  WriteChunk(exchange, head.body);
  FlushSoon();
}

void HttpConnection::WriteChunk(uint64_t exchange, std::string_view bytes) {
  if (state_ != State::kStreaming || exchange != requests_) return;
  if (bytes.empty() || !stream_has_body_) return;  // an empty chunk would be the end
  if (chunked_) {
    char size[16];
    const auto end = std::to_chars(size, size + sizeof(size), bytes.size(), 16).ptr;
    CatTo(out_, std::string_view(size, static_cast<size_t>(end - size)), "\r\n", bytes, "\r\n");
  } else {
    out_ += bytes;
  }
  if (unsent_bytes() > home_->options.stream_unsent_bytes_max) {
    LogWarn("streamed answer cut: the client does not keep up",
            {{"peer", peer_}, {"unsent", unsent_bytes()}});
    return Close();
  }
  FlushSoon();
}

void HttpConnection::EndStream(uint64_t exchange) {
  if (state_ != State::kStreaming || exchange != requests_) return;
  if (chunked_ && stream_has_body_) out_ += "0\r\n\r\n";
  AnswerDone();
}

void HttpConnection::Abandon(uint64_t exchange) {
  if (exchange != requests_) return;
  if (state_ == State::kStreaming) return Close();  // a cut answer must not look complete
  if (state_ != State::kAnswering) return;
  if (!peer_ended_) LogError("request was let go of without an answer", {{"peer", peer_}});
  Respond(exchange, PlainText(500, "internal error: no answer was given"));
}

void HttpConnection::AnswerDone() {
  call_.reset();
  // A streamed answer may have begun before the drain.
  if (!keep_alive_ || home_->draining) return Finish();
  state_ = State::kReading;
  FlushSoon();
  TakeRequests();
}

void HttpConnection::Finish() {
  state_ = State::kFinishing;
  UpdateWait();
  FlushSoon();
}

void HttpConnection::FlushSoon() { loop().AtTurnEnd(*this); }

void HttpConnection::OnTurnEnd() {
  if (state_ == State::kClosed || !writing_.empty()) return;
  if (out_.empty()) return AllWritten();
  writing_.swap(out_);
  written_ = 0;
  WriteSome();
}

void HttpConnection::WriteSome() {
  write_timer_.ArmAfter(home_->options.write_timeout);
  stream_.WriteSome(writing_.data() + written_,
                    writing_.size() - written_,
                    [self = shared_from_this()](const error_code& error, size_t size) {
                      self->OnWritten(error, size);
                    });
}

void HttpConnection::OnWritten(const error_code& error, size_t size) {
  if (state_ == State::kClosed) return;
  if (error) return Close();
  written_ += size;
  if (written_ < writing_.size()) return WriteSome();
  write_timer_.Cancel();
  writing_.clear();
  written_ = 0;
  if (writing_.capacity() > kKeptBufferBytesMax) writing_ = std::string();
  if (!out_.empty()) return FlushSoon();
  AllWritten();
}

void HttpConnection::AllWritten() {
  switch (state_) {
    case State::kFinishing: return Linger();
    case State::kReading: return TakeRequests();
    case State::kStreaming:
      if (const auto call = call_.lock()) call->TellWritable();
      return;
    case State::kHandshake:
    case State::kAnswering:
    case State::kLingering:
    case State::kClosed: return;
  }
}

// Closing while bytes of the client are still unread would reset the connection, and the answer
// with it.
void HttpConnection::Linger() {
  if (peer_ended_) return Close();
  state_ = State::kLingering;
  in_begin_ = in_end_ = 0;
  WaitFor(Wait::kLinger);
  if (stream_.is_tls()) {
    stream_.ShutdownTls([self = shared_from_this()](const error_code&) { self->Close(); });
  } else {
    stream_.ShutdownSend();
  }
  ReadMore();
}

}  // namespace troth::net
