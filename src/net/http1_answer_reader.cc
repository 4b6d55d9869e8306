#include "net/http1_answer_reader_internal.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "base/text.h"
#include "net/gzip.h"
#include "net/http1_text_internal.h"

namespace troth::net {

namespace http = boost::beast::http;

namespace {

// "100 Continue" and its kind before the answer proper; a server that sends more never comes to the
// point.
constexpr int kInterimAnswersMax = 16;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool IsInterim(int status) { return status >= 100 && status < 200 && status != 101; }

}  // namespace

void HttpAnswerReader::Parser::on_response_impl(int status, View, int, Error&) {
  reader_.answer_.status = status;
}

void HttpAnswerReader::Parser::on_field_impl(http::field, View name, View value, Error&) {
  // Fields behind a chunked body must not pass for headers.
  if (is_header_done()) return;
  reader_.answer_.headers.emplace_back(troth::net::View(name), troth::net::View(value));
}

void HttpAnswerReader::Parser::on_header_impl(Error&) {
  if (IsInterim(reader_.answer_.status)) return;
  reader_.keep_alive_ = keep_alive() && reader_.answer_.status != 101;
}

size_t HttpAnswerReader::Parser::on_body_impl(View body, Error&) {
  reader_.answer_.body.append(body.data(), body.size());
  return body.size();
}

size_t HttpAnswerReader::Parser::on_chunk_body_impl(uint64_t, View body, Error& error) {
  return on_body_impl(body, error);
}

HttpAnswerReader::HttpAnswerReader(HttpAnswerLimits limits, bool no_body)
    : limits_(limits), no_body_(no_body) {
  Restart();
}

void HttpAnswerReader::Restart() {
  parser_.emplace(*this);
  parser_->header_limit(limits_.header_bytes_max);
  parser_->body_limit(limits_.body_bytes_max);
  parser_->eager(true);
  parser_->skip(no_body_);
  answer_ = HttpClientResponse();
}

void HttpAnswerReader::OnFinish() {
  if (IsInterim(answer_.status)) {
    interim_done_ = true;
  } else {
    done_ = true;
  }
}

size_t HttpAnswerReader::Feed(std::string_view bytes) {
  size_t used_total = 0;
  while (!bytes.empty() && !done_ && error_.ok()) {
    const bool in_header = !parser_->is_header_done();
    if (!in_header && parser_->chunked() && bytes.size() < kLastChunkBytesMin) break;
    boost::beast::error_code error;
    const size_t used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    used_total += used;
    if (in_header && !parser_->is_header_done()) header_bytes_ += used;
    if (header_bytes_ > limits_.header_bytes_max) error = http::error::header_limit;
    if (std::exchange(interim_done_, false)) {
      if (++interim_answers_ > kInterimAnswersMax) error = http::error::bad_status;
      Restart();
    }
    if (error && error != http::error::need_more) Fail(error);
    if (error || used == 0) break;
  }
  return used_total;
}

void HttpAnswerReader::FeedEnd() {
  if (done_ || !error_.ok()) return;
  if (!parser_->got_some()) {
    error_ = Unavailable("the server closed the connection without an answer");
    return;
  }
  boost::beast::error_code error;
  parser_->put_eof(error);
  if (error) error_ = Unavailable("the connection ended in the middle of the answer");
}

void HttpAnswerReader::Fail(const boost::system::error_code& error) {
  if (error == http::error::header_limit) {
    error_ = ResourceExhausted(
        Cat("the answer's headers are longer than ", limits_.header_bytes_max, " bytes"));
  } else if (error == http::error::body_limit) {
    error_ = ResourceExhausted(
        Cat("the answer's body is longer than ", limits_.body_bytes_max, " bytes"));
  } else {
    error_ = Internal(Cat("the answer is not valid HTTP/1.1: ", error.message()));
  }
}

StatusOr<HttpClientResponse> HttpAnswerReader::Take() {
  const auto encoding = FindHeader(answer_.headers, "Content-Encoding");
  if (encoding && !answer_.body.empty() &&
      (EqualsIgnoreCase(*encoding, "gzip") || EqualsIgnoreCase(*encoding, "x-gzip"))) {
    TROTH_ASSIGN_OR_RETURN(answer_.body, Gunzip(answer_.body, limits_.body_bytes_max));
    std::erase_if(answer_.headers, [](const auto& header) {
      return EqualsIgnoreCase(header.first, "Content-Encoding") ||
             EqualsIgnoreCase(header.first, "Content-Length");
    });
  }
  return std::move(answer_);
}

}  // namespace troth::net
