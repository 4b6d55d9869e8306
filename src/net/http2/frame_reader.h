#pragma once
// Cuts what arrives on a connection into frames, however it was cut on its way.
//
// Part of Http2Session; for its thread.

#include <optional>
#include <string>
#include <string_view>

#include "net/http2/error.h"
#include "net/http2/frame.h"

namespace troth::net {

class FrameReader {
 public:
  // A server's peer is a client: a preface comes before its first frame.
  explicit FrameReader(bool server) : preface_left_(server ? kClientPreface : "") {}

  // The next frame, its beginning taken from `bytes`; what belongs to one that is not whole yet is
  // kept here. Valid until the next call, and as long as `bytes`' memory. Nothing: more bytes are
  // needed, or there is a fault.
  std::optional<Frame> Next(std::string_view& bytes);
  // The peer's bytes are no HTTP/2; nothing can be read any more.
  const Http2Fault& fault() const { return fault_; }

 private:
  bool SkipPreface(std::string_view& bytes);
  std::optional<Frame> NextOfPartial(std::string_view& bytes);
  // Moves bytes to partial_ until it has `size`. False when there are not enough.
  bool FillPartial(size_t size, std::string_view& bytes);
  bool CheckHeader(const FrameHeader& header);
  bool Fail(Http2Error error, std::string_view text);  // false

  std::string_view preface_left_;
  std::string partial_;        // a frame that is not whole, or was the last one handed out
  bool partial_done_ = false;  // the latter
  bool settings_seen_ = false;
  Http2Fault fault_;
};

}  // namespace troth::net
