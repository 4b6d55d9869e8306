#pragma once
// HTTP/2 (RFC 9113) without sockets: bytes go in by Feed and come out by Pull, what they mean goes
// to a Listener and to the streams. Frames are written as soon as what they say is known, so that a
// request or an answer is copied once on its way out; what windows or fairness hold back waits in
// its stream. A hostile peer is met with limits (flood_guard.h, Http2Options).
//
// For one thread. Streams and listeners may call anything here from their callbacks, except Feed,
// Pull and Close.

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/http2/error.h"
#include "net/http2/flood_guard.h"
#include "net/http2/frame_reader.h"
#include "net/http2/hpack_decoder.h"
#include "net/http2/hpack_encoder.h"
#include "net/http2/past_streams.h"
#include "net/http2/stream.h"

namespace troth::net {

struct Http2Options {
  bool server = true;
  uint32_t streams_max = 4096;  // the peer's open streams
  // What the peer may send unasked; at least 65,535 each, four times the largest frame.
  uint32_t stream_window_bytes = 1 << 20;
  uint32_t connection_window_bytes = 8 << 20;
  uint32_t header_bytes_max = 16 << 10;  // announced; streams enforce it
  // Server: while more than this is unsent, new streams are refused.
  size_t unsent_bytes_max = 64 << 20;
};

class Http2Session {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // There is something to Pull; called at least once after each time there was nothing.
    virtual void OnWantsWrite() = 0;
    // Server: a request begins. Null refuses it.
    virtual std::shared_ptr<Http2Stream> OnNewStream() { return nullptr; }
    // The peer's SETTINGS: the first ones, which end the handshake, and changes of them.
    virtual void OnSettings(bool first) { static_cast<void>(first); }
    virtual void OnPingAnswered() {}
    // The peer takes no new streams; those it will not handle are closed right after this.
    virtual void OnGoAway(Http2Error error, std::string_view debug_text) {
      static_cast<void>(error);
      static_cast<void>(debug_text);
    }
    // A stream was closed; streams_open() is up to date.
    virtual void OnStreamGone() {}
  };

  // The listener outlives the session.
  Http2Session(const Http2Options& options, Listener& listener);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // Bytes from the peer. Error: the connection is beyond saving; Pull what says so, then close it.
  Status Feed(std::string_view bytes);
  // Appends bytes for the peer to `out` while it holds less than `limit` and there are any.
  void Pull(std::string& out, size_t limit);
  // Neither wants to read nor to write any more: close the socket.
  bool Finished() const;

  // Client: opens a stream. Error: no more stream ids, or the connection takes no new streams; the
  // stream stays unopened.
  Status Open(std::shared_ptr<Http2Stream> stream, std::span<const Http2Header> headers, bool end);
  // Client: whether the peer takes another stream now.
  bool MayOpen() const;

  void Ping();
  // Server: tells the peer to open no more streams; Finished once those that it had opened have
  // ended.
  void StartDrain();
  // Ends everything with an error after what is written has been pulled.
  void Terminate(Http2Error error);
  // The connection is gone: ends every stream. Nothing is sent.
  void Close();

  size_t streams_open() const { return streams_.size(); }
  // Given to us and not pulled yet.
  size_t unsent_bytes() const { return queued_bytes_ + written_bytes(); }
  bool settings_received() const { return settings_received_; }
  // What the peer did wrong when Feed failed; empty before.
  const std::string& fault_text() const { return fault_text_; }

 private:
  friend class Http2Stream;
  using StreamPtr = std::shared_ptr<Http2Stream>;

  static constexpr std::string_view kPingOfKeepAlive = {"\0\0\0\0\0\0\0\0", 8};
  static constexpr std::string_view kPingOfDrain = "draining";

  // A header block whose frames are arriving.
  struct Block {
    uint32_t stream = 0;  // 0: none
    bool end_stream = false;
    std::string bytes;
  };
  // The DATA frame at the end of what is written, which more data of its stream may still join.
  struct OpenFrame {
    uint32_t stream = 0;  // 0: none
    size_t at = 0;        // where its header begins
    uint32_t length = 0;
  };

  // --- session.cc: the life of the connection and of its streams
  void WriteSettings();
  Status Break(const Http2Fault& fault);
  Http2Stream* Find(uint32_t id);
  void Attach(StreamPtr stream, uint32_t id);
  void Detach(Http2Stream& stream, Http2Error error, bool connection_lost = false);
  void CloseAbove(uint32_t last_id);
  void WantWrite();

  // --- session_receive.cc
  Http2Fault OnFrame(const Frame& frame);
  Http2Fault OnHeaders(const Frame& frame);
  Http2Fault OnContinuation(const Frame& frame);
  Http2Fault OnBlock(uint32_t id, bool end_stream, std::string_view block);
  Http2Fault OnRequest(uint32_t id, bool end_stream, std::string_view block);
  Http2Fault OnBlockOf(Http2Stream* stream, bool end_stream, std::string_view block);
  Http2Fault OnData(const Frame& frame);
  Http2Fault OnPeerEnd(Http2Stream& stream);
  Http2Fault OnResetStream(const Frame& frame);
  Http2Fault OnSettings(const Frame& frame);
  Http2Fault OnSetting(uint16_t id, uint32_t value);
  Http2Fault OnInitialWindow(uint32_t bytes);
  Http2Fault OnPing(const Frame& frame);
  Http2Fault OnGoAway(const Frame& frame);
  Http2Fault OnWindowUpdate(const Frame& frame);
  void TakeFromWindows(Http2Stream* stream, const FrameHeader& header);
  Http2Fault FaultOfMissing(uint32_t id) const;
  Http2Fault Refuse(uint32_t id);
  bool IsIdle(uint32_t id) const;

  // --- session_send.cc
  void SendHeadersOf(Http2Stream& stream, std::span<const Http2Header> headers, bool end);
  // False when `bytes` have to be queued.
  bool WriteAtOnce(Http2Stream& stream, std::string_view bytes);
  void OnQueued(Http2Stream& stream, size_t bytes);
  void EndAfterData(Http2Stream& stream);
  void ResetStream(Http2Stream& stream, Http2Error error);
  void WriteHeaders(uint32_t id, std::span<const Http2Header> headers, bool end, std::string& out);
  void SplitHeaders(uint32_t id, size_t at, std::string& out);
  void WriteEnd(Http2Stream& stream, std::string& out);
  void WriteReset(uint32_t id, Http2Error error);
  void WriteGoAway(uint32_t last_id, Http2Error error);
  void WriteWindowUpdate(uint32_t id, uint32_t bytes);
  void WritePing(std::string_view eight_bytes, uint8_t flags);
  void OnSendFinished(Http2Stream& stream);
  void QueueIfSendable(Http2Stream& stream);
  void CloseLater(Http2Stream& stream);
  void TakeWritten(std::string& out, size_t limit);
  void SendQueued(std::string& out, size_t limit);
  void SendSome(Http2Stream& stream, std::string& out);
  void AskEndedToStop();
  void CloseEnded();
  void NotifyWritable();
  bool HasOutput() const;
  size_t written_bytes() const { return written_.size() - written_taken_; }

  const Http2Options options_;
  Listener& listener_;

  absl::flat_hash_map<uint32_t, Http2Stream*> streams_;  // the open ones
  Http2Stream* last_found_ = nullptr;
  uint32_t next_id_ = 1;       // client: of our streams
  uint32_t last_peer_id_ = 0;  // server: of the peer's
  PastStreams past_streams_;

  FrameReader reader_;
  HpackDecoder decoder_;
  FloodGuard guard_;
  Block block_;
  uint32_t received_ = 0;  // bytes that the peer's window has not got back yet

  HpackEncoder encoder_;
  std::string written_;         // frames to be pulled
  size_t written_taken_ = 0;    // of its beginning
  uint64_t pulled_before_ = 0;  // bytes that were in written_ before it was last emptied
  OpenFrame open_frame_;
  std::list<StreamPtr> sendable_;      // data waits, and their own window allows some
  std::vector<StreamPtr> closing_;     // to be closed after the next Pull
  std::vector<StreamPtr> writable_;    // to be told after Pull
  std::vector<Http2Header> trailers_;  // reused
  size_t queued_bytes_ = 0;            // in streams
  int64_t send_window_ = kInitialWindow;
  int64_t stream_send_window_ = kInitialWindow;  // of new streams
  uint32_t peer_streams_max_ = UINT32_MAX;

  bool settings_received_ = false;
  bool settings_acknowledged_ = false;
  bool draining_ = false;
  bool go_away_sent_ = false;  // with the id of the last stream taken
  bool go_away_received_ = false;
  bool terminated_ = false;
  bool pulling_ = false;
  bool wants_write_told_ = false;
  bool closed_ = false;
  std::string fault_text_;
};

}  // namespace troth::net
