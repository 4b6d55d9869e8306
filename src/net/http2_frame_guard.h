#pragma once
// Watches the frames a peer sends for the faults that nghttp2 lets pass: streams used after the
// peer ended them, stream ids used after it passed them over (RFC 9113 section 5.1), and floods of
// frames that cost us work and the peer nothing. Sees frame headers only, before nghttp2 sees the
// bytes.
//
// Part of Http2Session; for its thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troth::net {

enum class Http2Error : uint32_t;

class Http2FrameGuard {
 public:
  // A server's peer is a client: a preface comes before its first frame, and the ids of streams are
  // its choice.
  explicit Http2FrameGuard(bool server) : server_(server), skip_(server ? kPrefaceBytes : 0) {}

  // Looks at the next bytes, however they are cut. Returns how many of them may be handed on: all,
  // or those before the frame at fault. Nothing is looked at after a fault.
  size_t Scan(std::string_view bytes);

  // We sent headers or data, so the frames before were for something.
  void OnProgress() { control_frames_ = 0; }

  // kNone when there was no fault yet; the text is empty then.
  Http2Error fault() const { return fault_; }
  std::string_view fault_text() const { return fault_text_; }

  // Frames in a row without any headers or data in either direction.
  static constexpr uint32_t kControlFramesMax = 10000;

 private:
  static constexpr size_t kPrefaceBytes = 24;
  static constexpr size_t kFrameHeaderBytes = 9;
  static constexpr size_t kEndedStreamsMax = 16;

  void CheckFrame();
  void CheckStream(uint8_t type, uint32_t stream);
  void Open(uint32_t stream);
  void Fail(Http2Error error, std::string_view text);

  const bool server_;
  size_t skip_;  // bytes to the next frame's header
  std::array<uint8_t, kFrameHeaderBytes> header_ = {};
  size_t header_size_ = 0;  // of header_ seen so far
  uint32_t control_frames_ = 0;
  uint32_t last_opened_ = 0;
  uint32_t passed_over_from_ = 1;  // the last ids passed over; none while from > to
  uint32_t passed_over_to_ = 0;
  std::array<uint32_t, kEndedStreamsMax> ended_ = {};  // by the peer; a ring of the last ones
  size_t ended_next_ = 0;
  Http2Error fault_{};
  std::string_view fault_text_;
};

}  // namespace troth::net
