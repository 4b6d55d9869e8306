#pragma once
// An HTTP/2 session on a socket, plain or TLS: reads what comes, writes once per loop turn, keeps
// the connection alive and notices when it is dead. GrpcServer and Channel derive their connections
// from it.
//
// Lives on its loop. Pending socket operations keep it alive; Close lets it go.

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http2/session.h"
#include "net/loop.h"
#include "net/tls_engine_internal.h"

namespace troth::net {

struct Http2ConnectionOptions {
  Http2Options http2;
  std::shared_ptr<TlsContext> tls;  // null: plain text
  std::string tls_host;             // client: who the certificate must be for
  size_t write_buffer_bytes_max = 4 << 20;
  Duration handshake_timeout = Seconds(10);  // until the peer's SETTINGS
  Duration keepalive_interval = Seconds(0);  // 0: never
  Duration keepalive_timeout = Seconds(20);
  bool keepalive_without_streams = true;
};

class Http2Connection : public std::enable_shared_from_this<Http2Connection>,
                        protected Http2Session::Listener,
                        private TurnEndHook {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  Http2Connection(Loop& loop, Socket socket, Http2ConnectionOptions options);
  ~Http2Connection() override;

  // Begins to read and write; once.
  void Start();
  // Ends at once: every stream, then OnClosed. Also allowed from within callbacks; then right after
  // them.
  void Close(Status why);

  Loop& loop() { return loop_; }
  Http2Session& session() { return session_; }
  bool closed() const { return closed_; }
  // Why it was closed; streams may read it in their OnClose.
  const Status& close_reason() const { return close_reason_; }
  // The other side's address, "127.0.0.1:4242".
  const std::string& peer() const { return peer_; }

 protected:
  // The peer's SETTINGS are there: handshakes are over.
  virtual void OnReady() {}
  // Exactly once, last.
  virtual void OnClosed(const Status& why) = 0;

  void OnSettings(bool first) override;
  void OnPingAnswered() override { ping_open_ = false; }

 private:
  void OnWantsWrite() override { loop_.AtTurnEnd(*this); }
  void OnTurnEnd() override { Flush(); }

  void WaitReadable();
  void OnReadable();
  // False when nothing more can be read now.
  bool ReadOnce();
  void Feed(std::string_view bytes);
  void FeedTls(std::string_view bytes);
  void FeedSession(std::string_view bytes);
  // Has something to say that goes out before the end.
  void CloseAfterFlush(Status why);

  void Flush();
  bool FillBuffer(std::string& buffer);
  // False when the socket takes no more now, or is gone.
  bool Write(std::string& buffer);
  void WaitWritable();
  bool ShouldPauseReading() const;
  void FinishIfDone();

  void OnTimer();
  void CheckKeepAlive();
  void ArmKeepAlive(Duration delay);
  void CloseNow(const Status& why);

  Loop& loop_;
  const Http2ConnectionOptions options_;
  Socket socket_;
  const std::string peer_;
  std::unique_ptr<TlsEngine> tls_;
  Http2Session session_;
  std::string blocked_;  // bytes the socket has not taken yet; nothing else is written before them
  Status last_words_;    // why Close follows once everything is written
  Status pending_close_;
  Status close_reason_;
  Timer timer_;        // handshake, then keep-alive
  Timer write_timer_;  // a peer that does not read
  std::chrono::steady_clock::time_point last_received_;
  bool in_session_ = false;  // inside Feed or Pull: closing waits
  bool read_waiting_ = false;
  bool ping_open_ = false;
  bool closed_ = false;
};

}  // namespace troth::net
