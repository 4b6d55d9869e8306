#pragma once
// Whether what the peer sends on one stream is a well-formed message (RFC 9113 section 8.1): fields
// in their order, each pseudo-header once, as much data as announced, trailers at the end.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http2/field_kind.h"

namespace troth::net {

// Each answers false when the message is malformed; nothing is asked after that.
class MessageRules {
 public:
  enum class Message : uint8_t { kRequest, kAnswer };
  explicit MessageRules(Message message) : message_(message) {}

  // A field of the block that is arriving.
  bool OnField(FieldKind kind, std::string_view value);
  bool OnBlockEnd(bool end_stream);
  bool OnData(size_t bytes);
  // The peer has ended the stream.
  bool OnEnd() const;

  // The headers are there, not only informational ones.
  bool headers_done() const { return headers_done_; }

 private:
  bool OnPseudo(FieldKind kind, std::string_view value);
  bool OnContentLength(std::string_view value);

  static constexpr int64_t kNotSaid = -1;

  int64_t announced_bytes_ = kNotSaid;
  int64_t data_bytes_ = 0;
  Message message_;
  uint8_t pseudo_seen_ = 0;  // a bit a kind
  bool regular_seen_ = false;
  bool informational_ = false;
  bool headers_done_ = false;
};

}  // namespace troth::net
