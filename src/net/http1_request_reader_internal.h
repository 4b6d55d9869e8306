#pragma once
// Reads one HTTP/1.1 request after another from bytes, with every bound applied. No sockets, no
// clock: tests and the fuzzer feed it directly. Beast's parser does the grammar.

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http1_server.h"

namespace troth::net {

struct HttpRequestLimits {
  uint32_t header_bytes_max;
  uint32_t body_bytes_max;
};

// Why a request cannot be served: what to answer before closing.
struct HttpRefusal {
  int status = 400;
  std::string text;  // a sentence for the client
};

class HttpRequestReader {
 public:
  enum class Phase : uint8_t { kEmpty, kHeader, kBody, kDone, kRefused };

  explicit HttpRequestReader(HttpRequestLimits limits);

  // Takes bytes and returns how many it used: all that belong to this request and are complete
  // enough to understand. The caller keeps the rest and offers it again with more behind it. Uses
  // nothing once kDone or kRefused.
  size_t Feed(std::string_view bytes);

  Phase phase() const { return phase_; }
  // Only when kRefused.
  const HttpRefusal& refusal() const { return refusal_; }

  // From the end of the header on.
  bool keep_alive() const { return keep_alive_; }
  bool http_1_0() const { return version_ == 10; }
  // The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }

  // Hands out the request (kDone) and starts the next one.
  HttpRequest Take();

 private:
  void Restart();
  void Refuse(int status, std::string_view text);
  void RefuseFor(const boost::system::error_code& error);
  void CountHeaderBytes(size_t used);
  void OnHeaderEnd();

  // Beast calls these through its virtual functions.
  class Parser final : public boost::beast::http::basic_parser<true> {
   public:
    explicit Parser(HttpRequestReader& reader) : reader_(reader) {}

   private:
    using Error = boost::beast::error_code;
    using View = boost::beast::string_view;
    void on_request_impl(
        boost::beast::http::verb, View method, View target, int version, Error&) override;
    void on_response_impl(int, View, int, Error&) override {}
    void on_field_impl(boost::beast::http::field name, View name_text, View value, Error&) override;
    void on_header_impl(Error& error) override;
    void on_body_init_impl(const boost::optional<uint64_t>&, Error&) override {}
    size_t on_body_impl(View body, Error&) override;
    void on_chunk_header_impl(uint64_t, View, Error&) override {}
    size_t on_chunk_body_impl(uint64_t, View body, Error&) override;
    void on_finish_impl(Error&) override { reader_.phase_ = Phase::kDone; }

    HttpRequestReader& reader_;
  };

  const HttpRequestLimits limits_;
  std::optional<Parser> parser_;
  Phase phase_ = Phase::kEmpty;
  HttpRequest request_;
  HttpRefusal refusal_;
  size_t header_bytes_ = 0;
  int version_ = 11;
  int hosts_ = 0;
  bool transfer_encoding_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool expects_unknown_ = false;
};

}  // namespace troth::net
