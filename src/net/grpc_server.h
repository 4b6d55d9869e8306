#pragma once
// The gRPC server: accepts connections, spreads them over loops, hands calls to methods.
//
// Handlers run on the loop of the connection that carried the call, and a ServerCall is used on
// that loop only (post back to call->loop() from elsewhere). Built on http2_session.h (sans-IO) and
// http2_connection.h.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/call_watcher.h"
#include "net/grpc_status.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth::net {

struct GrpcServerImpl;

// One call, alive as long as the transport or a handler holds it. After the stream is gone (client
// cancelled, connection lost, deadline passed) everything on it is a no-op.
class ServerCall {
 public:
  virtual ~ServerCall() = default;

  virtual std::string_view path() const = 0;  // "/dtmgimp.Dtm/Submit"
  virtual const Metadata& metadata() const = 0;
  // When the client stops waiting, from grpc-timeout; nothing when it set none.
  virtual std::optional<std::chrono::steady_clock::time_point> deadline() const = 0;
  virtual std::string peer() const = 0;  // "127.0.0.1:4242"
  virtual Loop& loop() = 0;
  // True once nobody waits for an answer any more.
  virtual bool cancelled() const = 0;

  // Sent with the first message or the status.
  virtual void AddInitialMetadata(std::string_view key, std::string_view value) = 0;
  virtual void AddTrailer(std::string_view key, std::string_view value) = 0;
  // One message to the client, at once (not waiting for Finish).
  virtual void Write(std::string message) = 0;
  // Bytes given to Write that the peer's window has not let out yet.
  virtual size_t unsent_bytes() const = 0;
  // `watcher` is told when the call is finished; not when nobody waited for that any more. It
  // outlives the call.
  virtual void Watch(CallWatcher& /*watcher*/, uint32_t /*tag*/) {}
  // Ends the call; nothing may follow.
  virtual void Finish(const GrpcStatus& status) = 0;
  // Unary answer: OK with this message, in one go.
  virtual void FinishOk(std::string_view message) = 0;
};

// What a streaming method does with a call; owned by the transport, which destroys it after the
// call's end. It may hold its ServerCall.
class ServerStreamHandler {
 public:
  virtual ~ServerStreamHandler() = default;
  virtual void OnMessage(std::string message) = 0;
  virtual void OnHalfClose() = 0;  // the client sends no more
  virtual void OnWritable() {}     // unsent_bytes() fell to a quarter of the limit
  virtual void OnCancel() {}       // nobody waits any more; no call follows
};

// A unary method: called once with the whole request; answers now or later through `call`.
using UnaryMethod = std::function<void(std::shared_ptr<ServerCall> call, std::string message)>;
// A streaming method of any kind: called when the headers are in.
using StreamMethod =
    std::function<std::unique_ptr<ServerStreamHandler>(std::shared_ptr<ServerCall> call)>;

struct GrpcServerOptions {
  GrpcLimits limits;
  std::shared_ptr<TlsContext> tls;              // null: plain text
  Duration keepalive_interval = Seconds(7200);  // PING after so long without a frame; 0: never
  Duration keepalive_timeout = Seconds(20);     // close when the PING is not answered
  Duration idle_max = Seconds(0);               // GOAWAY after so long without a call; 0: never
  Duration age_max = Seconds(0);                // GOAWAY after so long; 0: never
  Duration handshake_timeout = Seconds(10);     // TLS + HTTP/2 preface
  uint32_t connections_max = limits::kConnectionsMax;  // further ones are closed at once
};

class GrpcServer {
 public:
  // `loops` outlive the server. Connections go to the loop with the fewest. Destroying it closes
  // what is open; destroy it after its loops have ended, or after Drain, so that no method is
  // running meanwhile.
  GrpcServer(std::vector<Loop*> loops, GrpcServerOptions options);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;

  // Before Listen. `path` is "/package.Service/Method".
  void AddUnary(std::string path, UnaryMethod method);
  void AddStream(std::string path, StreamMethod method);

  // Binds and listens. `address` is "host:port", "[v6]:port" or ":port" (all interfaces, both
  // families); port 0 picks a free one. Error: address in use (says which port and how to choose
  // another), not permitted.
  Status Listen(std::string_view address);
  uint16_t port() const;

  // Stops accepting, sends GOAWAY, lets calls end; `done` runs on loops[0] when all connections are
  // gone or `grace` has passed (the rest is cut then).
  void Drain(Duration grace, std::function<void()> done);

  size_t connections() const;  // thread-safe, approximate

 private:
  std::shared_ptr<GrpcServerImpl> impl_;
};

// grpc.health.v1.Health: Check and Watch. `serving("")` is the whole server. Thread-safe.
class HealthService {
 public:
  void Register(GrpcServer& server);
  void SetServing(std::string_view service, bool serving);
  HealthService();
  ~HealthService();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// grpc.reflection v1 and v1alpha over a serialized google.protobuf.FileDescriptorSet (with its
// imports). Error when the set does not parse. `services` are the full names listed.
Status RegisterReflection(GrpcServer& server,
                          std::string_view file_descriptor_set,
                          std::vector<std::string> services);

}  // namespace troth::net
