#pragma once
// The inside of a Channel: its connection and its calls.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "net/grpc_client.h"
#include "net/grpc_message_reader.h"
#include "net/http2_connection_internal.h"
#include "net/tcp_connector_internal.h"

namespace troth::net {

class ChannelImpl;

class GrpcClientConnection final : public Http2Connection {
 public:
  GrpcClientConnection(ChannelImpl& channel, Socket socket, Http2ConnectionOptions options);

  // The channel is gone, or has no more interest in it.
  void Forget() { channel_ = nullptr; }
  std::chrono::steady_clock::time_point ready_at() const { return ready_at_; }

 private:
  void OnReady() override;
  void OnSettings(bool first) override;
  void OnStreamGone() override;
  void OnGoAway(Http2Error error, std::string_view debug_text) override;
  void OnClosed(const Status& why) override;

  ChannelImpl* channel_;
  std::chrono::steady_clock::time_point ready_at_;
};

// One call, unary or streaming, from its start to its end, on a stream once there is one.
class GrpcClientCall final : public ClientStream,
                             public Http2Stream,
                             public std::enable_shared_from_this<GrpcClientCall> {
 public:
  GrpcClientCall(ChannelImpl& channel, UnaryDone done);
  GrpcClientCall(ChannelImpl& channel, std::shared_ptr<ClientStreamHandler> handler);

  // Before anything else.
  void StartDeadline(Duration timeout);
  // Copies what is needed to open it later.
  void Keep(const UnaryCall& call);
  // Opens its stream on `connection`: with what Keep copied, or with `call` itself. Error: the
  // connection takes no stream; OpenKept then ends the call.
  void OpenKept(GrpcClientConnection& connection);
  [[nodiscard]] Status Open(const UnaryCall& call, GrpcClientConnection& connection);
  // Ends it from our side.
  void End(GrpcStatus status);

  bool ended() const { return channel_ == nullptr; }
  bool wait_for_ready() const { return wait_for_ready_; }
  uint64_t id() const { return id_; }
  void set_id(uint64_t id) { id_ = id; }

  void Write(std::string message) override;
  void CloseSend() override;
  void Cancel() override;
  size_t unsent_bytes() const override { return Http2Stream::unsent_bytes() + early_data_.size(); }

 private:
  void OnHeader(std::string_view name, std::string_view value) override;
  void OnHeadersEnd(bool end_stream) override;
  void OnData(std::string_view bytes) override;
  void OnHalfClose() override;
  void OnUnsentBelow() override;
  void OnClose(const Http2Close& close) override;

  void OnInitialHeaders();
  void OnMessage(std::string message);
  GrpcStatus FinalStatus() const;
  GrpcStatus StatusOfClose(const Http2Close& close) const;
  void Complete(GrpcStatus status);

  ChannelImpl* channel_;  // null once ended
  GrpcClientConnection* connection_ = nullptr;
  UnaryDone done_;
  std::shared_ptr<ClientStreamHandler> handler_;
  uint64_t id_ = 0;
  std::optional<Timer> deadline_timer_;
  std::chrono::steady_clock::time_point deadline_;
  Duration timeout_{};

  // What it is opened with once there is a stream for it.
  struct Kept {
    std::string path;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::vector<bool> never_index;  // of `metadata`
  };
  std::unique_ptr<const Kept> kept_;  // null: it has been opened
  std::string early_data_;            // written before it was open
  bool closed_send_ = false;
  bool wait_for_ready_ = false;

  MessageReader reader_;
  UnaryResult result_;
  Metadata headers_;  // of the block that is arriving
  std::optional<GrpcCode> code_;
  std::string status_message_;
  std::string content_type_;  // when it is not gRPC's
  GrpcStatus answer_error_;   // found in its headers
  int http_status_ = 0;
  size_t header_bytes_ = 0;
  bool is_grpc_content_ = false;
  bool has_message_ = false;
  bool initial_done_ = false;
  bool never_handled_ = true;
};

class ChannelImpl final : public Channel, public std::enable_shared_from_this<ChannelImpl> {
 public:
  ChannelImpl(Loop& loop, std::string address, ChannelOptions options);
  ~ChannelImpl() override;

  uint64_t Unary(const UnaryCall& call, UnaryDone done) override;
  void CancelCall(uint64_t id) override;
  std::shared_ptr<ClientStream> Stream(const UnaryCall& call,
                                       std::shared_ptr<ClientStreamHandler> handler) override;
  ChannelState state() const override { return state_; }
  const std::string& address() const override { return address_; }
  size_t calls_in_flight() const override { return slots_.size() - free_slots_.size(); }
  std::string last_error() const override { return last_error_; }
  void Connect() override;
  void OnStateChange(std::function<void(ChannelState)> listener) override;
  void Close(Duration grace) override;

  Loop& loop() { return loop_; }
  const ChannelOptions& options() const { return options_; }
  const std::string& authority() const { return authority_; }

  // From calls.
  void Forget(GrpcClientCall& call);
  // From connections.
  void OnConnectionReady();
  void OnConnectionGoesAway(GrpcClientConnection& connection,
                            Http2Error error,
                            std::string_view text);
  void OnConnectionClosed(GrpcClientConnection& connection, const Status& why);
  void OpenWaiting();

 private:
  struct Slot {
    std::shared_ptr<GrpcClientCall> call;
    uint32_t generation = 0;
  };

  void Register(const std::shared_ptr<GrpcClientCall>& call);
  void Begin(const UnaryCall& call, const std::shared_ptr<GrpcClientCall>& started);
  // Why a call cannot even wait; OK when it can.
  GrpcStatus RefusalFor(const UnaryCall& call) const;
  void EndLater(const std::shared_ptr<GrpcClientCall>& call, GrpcStatus status);
  void EndWaiting(const std::string& why, bool also_patient);
  std::vector<std::shared_ptr<GrpcClientCall>> OpenCalls() const;

  void SetState(ChannelState state);
  void StartConnecting();
  void OnConnected(StatusOr<TcpConnector::Socket> socket);
  bool Lived(const GrpcClientConnection& connection) const;
  void Reconnect(const GrpcClientConnection& lost, std::string_view why);
  void EnterBackoff(std::string_view why);
  void ReleaseConnection();
  void CloseConnectionIfUnused();
  Http2ConnectionOptions ConnectionOptions() const;

  Loop& loop_;
  const std::string address_;
  const ChannelOptions options_;
  const std::string authority_;
  StatusOr<HostPort> target_;
  Random random_ = Random::FromDevice();
  ChannelState state_ = ChannelState::kIdle;
  std::function<void(ChannelState)> listener_;
  std::string last_error_;

  std::shared_ptr<TcpConnector> connector_;
  std::shared_ptr<GrpcClientConnection> connection_;           // the current one, perhaps not ready
  std::vector<std::weak_ptr<GrpcClientConnection>> draining_;  // said GOAWAY, calls still open
  Timer backoff_timer_;
  Timer grace_timer_;
  uint32_t failures_ = 0;  // connections in a row that did not live

  std::vector<Slot> slots_;  // every call that has not ended
  std::vector<uint32_t> free_slots_;
  std::deque<std::shared_ptr<GrpcClientCall>> waiting_;  // may hold ended ones
};

}  // namespace troth::net
