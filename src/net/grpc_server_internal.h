#pragma once
// The inside of GrpcServer: what a server, its connections and their calls know of each other.

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/grpc_message_reader.h"
#include "net/grpc_server.h"
#include "net/http2_connection_internal.h"
#include "net/listener_internal.h"

namespace troth::net {

class GrpcServerConnection;

using GrpcMethod = std::variant<UnaryMethod, StreamMethod>;

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct GrpcServerImpl : std::enable_shared_from_this<GrpcServerImpl> {
  GrpcServerImpl(std::vector<Loop*> on_loops, GrpcServerOptions server_options);

  // Null when there is none; then `error` says so as grpc-go does.
  const GrpcMethod* FindMethod(std::string_view path, GrpcStatus& error) const;
  void Accept(Http2Connection::Socket socket, ConnectionSlot slot);
  void Forget(GrpcServerConnection& connection, size_t loop_index);
  void StartDrain(Duration grace, std::function<void()> done);
  void OnEachLoop(const std::function<void(size_t loop_index)>& work);
  void FinishDrain();

  const std::vector<Loop*> loops;
  const GrpcServerOptions options;
  // Fixed once listening.
  absl::flat_hash_map<std::string, GrpcMethod, TextHash, std::equal_to<>> methods;
  absl::flat_hash_set<std::string, TextHash, std::equal_to<>> services;
  std::shared_ptr<Listener> listener;

  std::atomic<bool> destroyed = false;  // nothing may reach the methods any more
  std::atomic<bool> draining = false;
  std::atomic<size_t> connection_count = 0;
  // connections[i] is for loops[i]'s thread only.
  std::vector<absl::flat_hash_set<GrpcServerConnection*>> connections;

  // For loops[0]'s thread.
  std::function<void()> drained;
  std::unique_ptr<Timer> grace_timer;
};

class GrpcServerConnection final : public Http2Connection {
 public:
  GrpcServerConnection(std::shared_ptr<GrpcServerImpl> server, Socket socket, ConnectionSlot slot);

  void Begin();
  void Drain();

  const GrpcServerImpl& server() const { return *server_; }
  // Counts bytes of incomplete messages; false when they are too many.
  bool Buffer(size_t before, size_t after);

 private:
  std::shared_ptr<Http2Stream> OnNewStream() override;
  void OnReady() override;
  void OnStreamGone() override;
  void OnClosed(const Status& why) override;

  const std::shared_ptr<GrpcServerImpl> server_;
  const ConnectionSlot slot_;
  Timer idle_timer_;
  Timer age_timer_;
  size_t buffered_ = 0;
};

// One call, on its stream.
class GrpcServerCall final : public ServerCall,
                             public Http2Stream,
                             public std::enable_shared_from_this<GrpcServerCall> {
 public:
  explicit GrpcServerCall(std::shared_ptr<GrpcServerConnection> connection);

  std::string_view path() const override { return path_; }
  const Metadata& metadata() const override { return metadata_; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override;
  std::string peer() const override { return connection_->peer(); }
  Loop& loop() override { return connection_->loop(); }
  bool cancelled() const override { return cancelled_; }

  void AddInitialMetadata(std::string_view key, std::string_view value) override;
  void AddTrailer(std::string_view key, std::string_view value) override;
  void Write(std::string message) override;
  size_t unsent_bytes() const override { return Http2Stream::unsent_bytes(); }
  void Watch(CallWatcher& watcher, uint32_t tag) override { watched_.Begin(watcher, tag, loop()); }
  void Finish(const GrpcStatus& status) override;
  void FinishOk(std::string_view message) override;

 private:
  void OnHeader(std::string_view name, std::string_view value) override;
  void OnHeadersEnd(bool end_stream) override;
  void OnData(std::string_view bytes) override;
  void OnHalfClose() override;
  void AddTrailers(std::vector<Http2Header>& trailers) override;
  void OnUnsentBelow() override;
  void OnClose(const Http2Close& close) override;

  void OnRequestHeader(std::string_view name, std::string_view value);
  bool RefuseBadRequest();
  void OnMessage(std::string message);
  void StartUnary();
  void OnDeadline();
  void Cancel();
  bool CanSend() const { return !finished_ && !cancelled_ && stream_open(); }
  void SendResponseHeaders(bool end);
  bool IsGrpc() const { return is_post_ && is_grpc_content_; }
  void RefuseHttp();

  const std::shared_ptr<GrpcServerConnection> connection_;
  const GrpcMethod* method_ = nullptr;
  std::unique_ptr<ServerStreamHandler> handler_;
  std::string path_;
  Metadata metadata_;
  std::optional<Duration> timeout_;
  std::optional<Timer> deadline_timer_;
  std::chrono::steady_clock::time_point deadline_;
  MessageReader reader_;
  std::string message_;  // unary: the request, until it is complete
  Metadata initial_metadata_;
  Metadata trailers_;  // as sent
  GrpcStatus status_;
  std::string encoded_message_;  // status_.message as sent
  GrpcStatus request_error_;     // found while reading headers
  size_t header_bytes_ = 0;
  WatchedCall watched_;
  bool is_post_ = false;
  bool is_grpc_content_ = false;
  bool encoding_known_ = true;
  bool headers_done_ = false;
  bool has_message_ = false;
  bool answering_ = false;  // the answer's headers are submitted
  bool finished_ = false;   // the status is given
  bool cancelled_ = false;
};

}  // namespace troth::net
