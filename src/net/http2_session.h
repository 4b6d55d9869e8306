#pragma once
// HTTP/2 without sockets: bytes go in by Feed and come out by Pull, what they mean goes to a
// Listener and to the streams. Framing, header compression and windows are nghttp2's; limits
// against hostile peers are set here.
//
// For one thread. Streams and listeners may call anything here from their callbacks, except Feed,
// Pull and Close.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/http2_frame_guard.h"
#include "net/send_queue.h"

struct nghttp2_session;

namespace troth::net {

struct Http2Header {
  std::string_view name;
  std::string_view value;
  // Unique values must not push constant ones out of the compression table.
  bool never_index = false;
  // What lives for ever is not copied. A constant name is in lower case.
  bool constant_name = false;
  bool constant_value = false;
};

// Both live for ever.
constexpr Http2Header ConstantHeader(std::string_view name, std::string_view value) {
  return {.name = name, .value = value, .constant_name = true, .constant_value = true};
}

// RFC 9113 section 7, those we use.
enum class Http2Error : uint32_t {
  kNone = 0,
  kProtocol = 1,
  kInternal = 2,
  kFlowControl = 3,
  kStreamClosed = 5,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
};

// How a stream ended.
struct Http2Close {
  Http2Error error = Http2Error::kNone;
  bool connection_lost = false;
  bool never_handled = false;  // client: certain that the server did not look at it
};

struct Http2Options {
  bool server = true;
  uint32_t streams_max = 4096;  // the peer's open streams
  uint32_t stream_window_bytes = 1 << 20;
  uint32_t connection_window_bytes = 8 << 20;
  uint32_t header_bytes_max = 16 << 10;  // announced; streams enforce it
  // Server: while streams hold more than this unsent, new ones are refused.
  size_t unsent_bytes_max = 64 << 20;
};

class Http2Session;

// One request and its answer. Derive from it; the session holds it while the stream is open.
class Http2Stream {
 public:
  Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;
  virtual ~Http2Stream();

  int32_t stream_id() const { return id_; }
  bool stream_open() const { return session_ != nullptr; }

  // Sending. All are no-ops once the stream is closed.
  // Server: the answer's headers, once. With `end` nothing follows; otherwise data or an end must.
  void SendHeaders(std::span<const Http2Header> headers, bool end);
  // Bytes go out as windows allow. Data may be given before SendHeaders.
  void SendData(std::string_view bytes);
  void SendData(std::string&& bytes);
  // Ends after the data with the headers that AddTrailers names then.
  void EndWithTrailers();
  // Ends after the data.
  void EndSend();
  // Ends both directions at once; unsent data is dropped. OnClose follows.
  void Reset(Http2Error error);

  size_t unsent_bytes() const { return queue_.size(); }
  // Our END_STREAM is out.
  bool send_finished() const { return send_finished_; }
  // OnUnsentBelow comes once, when no more than `bytes` are unsent.
  void NotifyUnsentBelow(size_t bytes) { notify_below_ = bytes + 1; }

 protected:
  virtual void OnHeader(std::string_view name, std::string_view value) = 0;
  // After the last OnHeader of a block: first the headers, perhaps trailers later.
  virtual void OnHeadersEnd(bool end_stream) = 0;
  virtual void OnData(std::string_view bytes) = 0;
  // The peer sends no more.
  virtual void OnHalfClose() = 0;
  virtual void AddTrailers(std::vector<Http2Header>& trailers) { static_cast<void>(trailers); }
  virtual void OnUnsentBelow() {}
  // Exactly once for a stream that was opened, last; the session has let go of it then.
  virtual void OnClose(const Http2Close& close) = 0;

 private:
  friend class Http2Session;
  friend struct Http2Callbacks;
  enum class End : uint8_t { kOpen, kPlain, kTrailers };

  void DataAdded();
  void EndAfterData(End end);
  void SubmitTrailers();

  Http2Session* session_ = nullptr;
  std::shared_ptr<Http2Stream> self_;  // held while open
  Http2Stream* next_ = nullptr;        // the session's list of open streams
  Http2Stream* prev_ = nullptr;
  SendQueue queue_;
  size_t notify_below_ = 0;
  int32_t id_ = 0;
  End end_ = End::kOpen;
  bool headers_submitted_ = false;
  bool headers_sent_ = false;
  bool trailers_submitted_ = false;
  bool data_deferred_ = false;  // nghttp2 asked and there was none
  bool peer_ended_ = false;
  bool send_finished_ = false;
  bool reset_ = false;
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

  // Client: opens a stream. Error: no more stream ids, or the peer said GOAWAY; the stream stays
  // unopened.
  Status Open(std::shared_ptr<Http2Stream> stream, std::span<const Http2Header> headers, bool end);
  // Client: whether the peer takes another stream now.
  bool MayOpen() const;

  void Ping();
  // Server: tells the peer to open no more streams; Finished once those that it had opened have
  // ended.
  void StartDrain();
  // Ends everything with an error after what is queued has been pulled.
  void Terminate(Http2Error error);
  // The connection is gone: ends every stream. Nothing is sent.
  void Close();

  size_t streams_open() const { return streams_open_; }
  // Given to streams and not pulled yet.
  size_t unsent_bytes() const { return unsent_total_; }
  bool settings_received() const { return settings_received_; }
  // What is known of the last fault of the peer; empty when there was none.
  const std::string& fault_text() const { return fault_text_; }

 private:
  friend class Http2Stream;
  friend struct Http2Callbacks;

  void SubmitSettings();
  void Attach(std::shared_ptr<Http2Stream> stream, int32_t id);
  void Detach(Http2Stream& stream, const Http2Close& close);
  void WantWrite();
  void NotifyWritable();
  void OnGoAwaySent();
  Status Break(int nghttp2_error);

  const Http2Options options_;
  Listener& listener_;
  nghttp2_session* session_ = nullptr;
  Http2FrameGuard guard_;
  Http2Stream* streams_ = nullptr;
  size_t streams_open_ = 0;
  size_t unsent_total_ = 0;
  Http2Stream* in_headers_ = nullptr;  // whose header block is arriving
  std::string* out_ = nullptr;         // during Pull
  size_t out_limit_ = 0;
  std::vector<std::shared_ptr<Http2Stream>> writable_;  // to be told after Pull
  std::vector<Http2Header> trailers_;                   // reused
  bool settings_received_ = false;
  bool draining_ = false;
  bool drain_ping_sent_ = false;
  bool wants_write_told_ = false;
  bool broken_ = false;
  bool closed_ = false;
  std::string fault_text_;
};

}  // namespace troth::net
