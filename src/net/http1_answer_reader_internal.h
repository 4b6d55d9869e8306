#pragma once
// Reads one HTTP/1.1 answer from bytes, bounded. No sockets; Beast's parser does the grammar.

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http1_client.h"

namespace troth::net {

struct HttpAnswerLimits {
  uint32_t header_bytes_max;
  uint32_t body_bytes_max;
};

class HttpAnswerReader {
 public:
  // `no_body`: the answer ends with its header whatever that says (HEAD, CONNECT).
  HttpAnswerReader(HttpAnswerLimits limits, bool no_body);

  // Takes bytes and returns how many it used; the caller offers the rest again with more behind it.
  // Interim answers (100 Continue) are passed over. Uses nothing once done() or failed.
  size_t Feed(std::string_view bytes);
  // The connection ended. An answer that goes on until then is done; another one failed.
  void FeedEnd();

  bool done() const { return done_; }
  // Why this cannot be an answer; OK while it can.
  const Status& error() const { return error_; }
  // Only when done: the connection may carry another request.
  bool keep_alive() const { return keep_alive_; }
  // Only when done. Inflates a gzip body. Error: it cannot be inflated, or not within the bound.
  StatusOr<HttpClientResponse> Take();

 private:
  // Beast calls these through its virtual functions.
  class Parser final : public boost::beast::http::basic_parser<false> {
   public:
    explicit Parser(HttpAnswerReader& reader) : reader_(reader) {}

   private:
    using Error = boost::beast::error_code;
    using View = boost::beast::string_view;
    void on_request_impl(boost::beast::http::verb, View, View, int, Error&) override {}
    void on_response_impl(int status, View reason, int version, Error&) override;
    void on_field_impl(boost::beast::http::field name, View name_text, View value, Error&) override;
    void on_header_impl(Error&) override;
    void on_body_init_impl(const boost::optional<uint64_t>&, Error&) override {}
    size_t on_body_impl(View body, Error&) override;
    void on_chunk_header_impl(uint64_t, View, Error&) override {}
    size_t on_chunk_body_impl(uint64_t, View body, Error&) override;
    void on_finish_impl(Error&) override { reader_.OnFinish(); }

    HttpAnswerReader& reader_;
  };

  void Restart();
  void OnFinish();
  void Fail(const boost::system::error_code& error);

  const HttpAnswerLimits limits_;
  const bool no_body_;
  std::optional<Parser> parser_;
  HttpClientResponse answer_;
  size_t header_bytes_ = 0;
  int interim_answers_ = 0;
  bool interim_done_ = false;
  bool done_ = false;
  bool keep_alive_ = false;
  Status error_;
};

}  // namespace troth::net
