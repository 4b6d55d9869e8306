#pragma once
// One connection of the HTTP/1.1 server: requests in one after another, answers out in order, one
// write a turn. Lives on one loop. Kept alive by HttpServerLoop::connections and by its pending
// socket operations.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "net/http1_request_reader_internal.h"
#include "net/http1_server.h"
#include "net/listener_internal.h"
#include "net/loop.h"
#include "net/socket_stream_internal.h"

namespace troth::net {

class HttpConnection;
class HttpServerCall;

// What the connections of one loop share.
struct HttpServerLoop {
  HttpServerLoop(Loop& on_loop,
                 const HttpServerOptions& server_options,
                 const HttpServer::Handler& server_handler)
      : loop(on_loop), options(server_options), handler(server_handler) {}

  // "Date: ...\r\n", made once a second.
  std::string_view DateHeader();

  Loop& loop;
  const HttpServerOptions options;
  const HttpServer::Handler handler;
  std::unordered_set<std::shared_ptr<HttpConnection>> connections;
  bool draining = false;
  std::function<void()> on_last_gone;  // while draining: called once, when the last connection went

 private:
  std::string date_header_;
  time_t date_second_ = 0;
};

class HttpConnection final : public std::enable_shared_from_this<HttpConnection>,
                             private TurnEndHook {
 public:
  HttpConnection(std::shared_ptr<HttpServerLoop> home,
                 boost::asio::ip::tcp::socket socket,
                 ConnectionSlot slot);
  ~HttpConnection() override;

  void Start();
  // Closes when idle, otherwise after the answer that is being made.
  void Drain();
  // Drops everything at once; whoever works on an answer is told.
  void Close();

  // For HttpServerCall. `exchange` names the request answered: late calls of an earlier one change
  // nothing.
  Loop& loop() { return home_->loop; }
  void Respond(uint64_t exchange, HttpResponse response);
  void StartStream(uint64_t exchange, HttpResponse head);
  void WriteChunk(uint64_t exchange, std::string_view bytes);
  void EndStream(uint64_t exchange);
  // The handler let go of the call without an answer, or in the middle of a streamed one.
  void Abandon(uint64_t exchange);
  size_t unsent_bytes() const { return out_.size() + writing_.size() - written_; }

 private:
  enum class State : uint8_t {
    kHandshake,
    kReading,    // between requests, or a request is coming in
    kAnswering,  // the handler has it
    kStreaming,  // the handler sends chunks
    kFinishing,  // the last answer is on its way out, then the connection ends
    kLingering,  // all sent; waiting for the client to close, so that it can read the answer
    kClosed,
  };
  enum class Wait : uint8_t {
    kNone,
    kHandshake,
    kFirstByte,
    kNextRequest,
    kHeader,
    kBody,
    kLinger
  };

  void StartHandshake();
  void ReadMore();
  void OnRead(const boost::system::error_code& error, size_t size);
  void OnReadEnd(const boost::system::error_code& error);
  void TakeRequests();
  void AwaitRequest();
  void Dispatch();
  void Refuse(const HttpRefusal& refusal);
  bool HasRoomToRead() const;
  void MakeRoomToRead();

  void AppendHead(const HttpResponse& response, std::optional<uint64_t> content_length);
  void AnswerDone();
  void Finish();
  void FlushSoon();
  void OnTurnEnd() override;
  void WriteSome();
  void OnWritten(const boost::system::error_code& error, size_t size);
  void AllWritten();
  void Linger();
  void TellGone();

  void WaitFor(Wait what);
  void UpdateWait();
  void OnWaitOver();

  const std::shared_ptr<HttpServerLoop> home_;
  SocketStream stream_;
  const ConnectionSlot slot_;
  std::string peer_;
  State state_ = State::kReading;

  HttpRequestReader reader_;
  std::string in_;  // bytes read, used from in_begin_ to in_end_
  size_t in_begin_ = 0;
  size_t in_end_ = 0;
  bool reading_ = false;  // a read is pending
  bool peer_ended_ = false;
  bool taking_requests_ = false;
  bool sent_continue_ = false;
  uint64_t requests_ = 0;  // of this connection; also the current exchange's number

  std::weak_ptr<HttpServerCall> call_;
  bool keep_alive_ = false;    // of the request being answered
  bool head_request_ = false;  // its answer has no body
  bool http_1_0_ = false;
  bool chunked_ = false;  // the streamed answer is
  bool stream_has_body_ = false;

  std::string out_;      // gathered in this turn
  std::string writing_;  // being written
  size_t written_ = 0;   // of writing_

  Wait waiting_for_ = Wait::kNone;
  Timer wait_timer_;   // for the client's next bytes
  Timer write_timer_;  // for the client to take what we send
};

}  // namespace troth::net
