#include "net/http1_request_reader_internal.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "base/text.h"
#include "net/http1_text_internal.h"

namespace troth::net {

namespace http = boost::beast::http;

namespace {

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Path and query of a request target: "/a?b", "http://host/a?b" or "*".
void SplitTarget(HttpRequest& request) {
  std::string_view rest = request.target;
  const size_t scheme_end = rest.find("://");
  if (!rest.starts_with('/') && scheme_end != std::string_view::npos) {
    rest.remove_prefix(scheme_end + 3);
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
  }
  const size_t question = std::min(rest.find('?'), rest.size());
  request.path = rest.substr(0, question);
  if (request.path.empty()) request.path = "/";
  request.query = rest.substr(std::min(question + 1, rest.size()));
}

}  // namespace

void HttpRequestReader::Parser::on_request_impl(
    http::verb, View method, View target, int version, Error&) {
  reader_.request_.method = troth::net::View(method);
  reader_.request_.target = troth::net::View(target);
  reader_.version_ = version;
}

void HttpRequestReader::Parser::on_field_impl(http::field name,
                                              View name_text,
                                              View value,
                                              Error&) {
  // Fields behind a chunked body must not pass for headers.
  if (is_header_done()) return;
  const std::string_view text = troth::net::View(value);
  switch (name) {
    case http::field::host: ++reader_.hosts_; break;
    case http::field::transfer_encoding: reader_.transfer_encoding_ = true; break;
    case http::field::expect:
      (EqualsIgnoreCase(text, "100-continue") ? reader_.expects_continue_
                                              : reader_.expects_unknown_) = true;
      break;
    default: break;
  }
  reader_.request_.headers.emplace_back(troth::net::View(name_text), text);
}

void HttpRequestReader::Parser::on_header_impl(Error& error) {
  reader_.OnHeaderEnd();
  // Any error stops the parser; what to answer is known already.
  if (reader_.phase_ == Phase::kRefused) error = http::error::bad_value;
}

size_t HttpRequestReader::Parser::on_body_impl(View body, Error&) {
  reader_.request_.body.append(body.data(), body.size());
  return body.size();
}

size_t HttpRequestReader::Parser::on_chunk_body_impl(uint64_t, View body, Error& error) {
  return on_body_impl(body, error);
}

HttpRequestReader::HttpRequestReader(HttpRequestLimits limits) : limits_(limits) { Restart(); }

void HttpRequestReader::Restart() {
  parser_.emplace(*this);
  parser_->header_limit(limits_.header_bytes_max);
  parser_->body_limit(limits_.body_bytes_max);
  parser_->eager(true);
  phase_ = Phase::kEmpty;
  request_ = HttpRequest();
  header_bytes_ = 0;
  hosts_ = 0;
  transfer_encoding_ = expects_continue_ = expects_unknown_ = keep_alive_ = false;
}

size_t HttpRequestReader::Feed(std::string_view bytes) {
  if (phase_ == Phase::kDone || phase_ == Phase::kRefused) return 0;
  size_t skipped = 0;
  if (phase_ == Phase::kEmpty) {
    // RFC 9112 2.2: empty lines before a request are ignored.
    while (skipped < bytes.size() && (bytes[skipped] == '\r' || bytes[skipped] == '\n')) ++skipped;
    bytes.remove_prefix(skipped);
    if (bytes.empty()) return skipped;
    phase_ = Phase::kHeader;
  }
  const bool in_header = phase_ == Phase::kHeader;
  if (!in_header && parser_->chunked() && bytes.size() < kLastChunkBytesMin) return skipped;
  boost::beast::error_code error;
  const size_t used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error && error != http::error::need_more && phase_ != Phase::kRefused) RefuseFor(error);
  if (in_header) CountHeaderBytes(phase_ == Phase::kHeader ? used : 0);
  return skipped + used;
}

// Beast bounds what it looks at in one go; a header that trickles in is bounded here.
void HttpRequestReader::CountHeaderBytes(size_t used) {
  header_bytes_ += used;
  if (header_bytes_ > limits_.header_bytes_max) RefuseFor(http::error::header_limit);
}

void HttpRequestReader::OnHeaderEnd() {
  phase_ = Phase::kBody;
  keep_alive_ = parser_->keep_alive();
  if (hosts_ > 1 || (hosts_ == 0 && version_ >= 11)) {
    return Refuse(400, "the request needs exactly one Host header");
  }
  if (transfer_encoding_ && !parser_->chunked()) {
    return Refuse(501, "the only Transfer-Encoding understood is chunked");
  }
  if (transfer_encoding_ && version_ == 10) {
    return Refuse(400, "HTTP/1.0 knows no Transfer-Encoding");
  }
  if (expects_unknown_) return Refuse(417, "the only expectation understood is 100-continue");
  if (version_ == 10) expects_continue_ = false;
  SplitTarget(request_);
}

void HttpRequestReader::Refuse(int status, std::string_view text) {
  phase_ = Phase::kRefused;
  refusal_ = {status, std::string(text)};
}

void HttpRequestReader::RefuseFor(const boost::system::error_code& error) {
  if (error == http::error::header_limit) {
    return Refuse(
        431, Cat("the request's headers are longer than ", limits_.header_bytes_max, " bytes"));
  }
  if (error == http::error::body_limit) {
    return Refuse(413, Cat("the request's body is longer than ", limits_.body_bytes_max, " bytes"));
  }
  if (error == http::error::bad_version) {
    return Refuse(505, "this server speaks HTTP/1.0 and HTTP/1.1 here");
  }
  Refuse(400, Cat("the request is not valid HTTP: ", error.message()));
}

HttpRequest HttpRequestReader::Take() {
  HttpRequest taken = std::move(request_);
  Restart();
  return taken;
}

}  // namespace troth::net
