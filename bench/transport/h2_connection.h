#pragma once
// What both ends of an HTTP/2 connection share: preface, SETTINGS, PING, flow control, header
// blocks cut into several frames. The ends see headers and data of streams.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "bench/transport/h2_frames.h"
#include "bench/transport/protocol.h"

namespace troth::bench {

class H2Connection : public Protocol {
 public:
  enum class End : uint8_t { kClient, kServer };

  Status Feed(std::string_view bytes) final;

 protected:
  // Queues the preface and our SETTINGS: windows so large that the peer never waits for us.
  explicit H2Connection(End end);

  virtual Status OnHeaders(uint32_t stream, std::string_view block, bool end_stream) = 0;
  virtual Status OnData(uint32_t stream, std::string_view bytes, bool end_stream) = 0;
  virtual void OnReset(uint32_t stream, uint32_t error) = 0;
  virtual void OnGoAway(uint32_t last_stream, uint32_t error) = 0;
  virtual void OnHeaderTableSize(uint32_t bytes) = 0;
  // There is more room than before in the peer's windows.
  virtual void OnWindow() {}

  // What may be sent now: on the connection; on a stream that has sent nothing.
  int64_t send_window() const { return send_window_; }
  int64_t stream_send_window() const { return stream_send_window_; }
  uint32_t streams_max() const { return streams_max_; }
  // A DATA frame's header; the payload is the caller's to append. It fits the window.
  void AppendDataHeader(uint32_t stream, size_t payload_size, bool end_stream);

 private:
  Status Handle(H2Frame& frame);
  Status HandleHeaders(const H2Frame& frame);
  Status HandleContinuation(const H2Frame& frame);
  Status HandleData(H2Frame& frame);
  Status HandleSettings(const H2Frame& frame);
  void ApplySetting(uint16_t name, uint32_t value);
  Status HandleWindowUpdate(const H2Frame& frame);
  void GiveBackWindow(size_t bytes);

  H2FrameReader frames_;
  size_t preface_left_;       // bytes of the peer's preface still to come
  std::string header_block_;  // a block that goes on in CONTINUATION frames
  uint32_t header_stream_ = 0;
  bool header_end_stream_ = false;
  int64_t send_window_ = kH2InitialWindow;
  int64_t stream_send_window_ = kH2InitialWindow;
  uint32_t streams_max_ = UINT32_MAX;
  size_t received_ = 0;  // data bytes since the last WINDOW_UPDATE
};

}  // namespace troth::bench
