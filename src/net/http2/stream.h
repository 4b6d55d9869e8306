#pragma once
// One request and its answer on an HTTP/2 connection.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http2/error.h"
#include "net/http2/hpack_encoder.h"
#include "net/http2/message_rules.h"
#include "net/http2/send_queue.h"

namespace troth::net {

class Http2Session;

// How a stream ended.
struct Http2Close {
  Http2Error error = Http2Error::kNone;
  bool connection_lost = false;
  bool never_handled = false;  // client: certain that the server did not look at it
};

// Derive from it; the session holds it while the stream is open. For the session's thread.
class Http2Stream {
 public:
  Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;
  virtual ~Http2Stream();

  int32_t stream_id() const { return static_cast<int32_t>(id_); }
  bool stream_open() const { return session_ != nullptr; }

  // Sending. All are no-ops once the stream is closed.
  // Server: the answer's headers, once. With `end` nothing follows; otherwise data or an end must.
  void SendHeaders(std::span<const Http2Header> headers, bool end);
  // Bytes go out as windows allow, after the headers; cheapest when those were given before.
  void SendData(std::string_view bytes);
  void SendData(std::string&& bytes);
  // Ends after the data with the headers that AddTrailers names then.
  void EndWithTrailers();
  // Ends after the data.
  void EndSend();
  // Ends both directions at once; unsent data is dropped. OnClose follows.
  void Reset(Http2Error error);

  // What waits for headers, for windows, or because others have much to send.
  size_t unsent_bytes() const { return queue_.size(); }
  // Our END_STREAM is on its way.
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
  enum class End : uint8_t { kOpen, kPlain, kTrailers };

  bool MaySend() const { return session_ != nullptr && !reset_; }
  // Neither direction has anything to come, or the stream was reset.
  bool over() const { return reset_ || (send_finished_ && peer_ended_); }

  Http2Session* session_ = nullptr;
  std::shared_ptr<Http2Stream> self_;  // held while open
  SendQueue queue_;
  size_t notify_below_ = 0;
  uint64_t headers_end_ = 0;  // client: where they end among all that the session wrote
  int64_t send_window_ = 0;
  uint32_t received_ = 0;  // bytes that the peer's window has not got back yet
  uint32_t id_ = 0;
  MessageRules rules_{MessageRules::Message::kRequest};
  Http2Error reset_error_ = Http2Error::kNone;
  End end_ = End::kOpen;
  bool headers_sent_ = false;
  bool peer_ended_ = false;
  bool send_finished_ = false;
  bool reset_ = false;    // by us
  bool queued_ = false;   // in the session's list of those with something to send
  bool closing_ = false;  // in its list of those to be closed
};

}  // namespace troth::net
