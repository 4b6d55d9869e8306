#pragma once
// The gRPC client: one channel is one HTTP/2 connection to one address, kept up by itself, on one
// loop. Everything here is for the loop's thread.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/grpc_status.h"
#include "net/loop.h"
#include "net/tls.h"

namespace troth::net {

enum class ChannelState : uint8_t {
  kIdle,        // not connected, nothing wanted yet
  kConnecting,  // calls wait for it (within their deadlines)
  kReady,
  kBackoff,  // the last attempt failed; calls fail with Unavailable at once, unless wait_for_ready
  kClosed,
};

struct ChannelOptions {
  GrpcLimits limits;
  std::shared_ptr<TlsContext> tls;  // null: plain text
  std::string authority;            // ":authority"; empty = the address
  Duration connect_timeout = Seconds(5);
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = Seconds(3);         // jittered; reset by a connection that lived
  Duration keepalive_interval = Seconds(0);  // PING when calls are open and nothing came; 0: never
  Duration keepalive_timeout = Seconds(10);
  uint32_t waiting_calls_max =
      4096;  // calls waiting for a connection or a free stream; then Unavailable
  std::string user_agent = "troth";
};

// What to call. Views live during the call of Channel::Unary only.
struct UnaryCall {
  std::string_view path = {};  // "/package.Service/Method"
  std::span<const MetadataView> metadata = {};
  std::string_view message = {};
  Duration timeout = Seconds(0);  // 0: none; sent as grpc-timeout and enforced here
  bool wait_for_ready = false;
};

struct UnaryResult {
  GrpcStatus status = {};
  std::string message = {};
  Metadata initial_metadata = {};
  Metadata trailers = {};
  bool maybe_sent = false;  // false: certainly never reached a handler (refused, above GOAWAY's
                            // last id, not connected)
};
using UnaryDone = std::function<void(UnaryResult)>;

// The client's half of a streaming call. Calls after its end are no-ops.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual void Write(std::string message) = 0;
  virtual void CloseSend() = 0;
  // Ends it with Cancelled (RST_STREAM); OnEnd still comes.
  virtual void Cancel() = 0;
  virtual size_t unsent_bytes() const = 0;
};
class ClientStreamHandler {
 public:
  virtual ~ClientStreamHandler() = default;
  virtual void OnInitialMetadata(const Metadata&) {}
  virtual void OnMessage(std::string message) = 0;
  virtual void OnWritable() {}
  // Exactly once, last.
  virtual void OnEnd(const GrpcStatus& status, const Metadata& trailers) = 0;
};

class Channel {
 public:
  // `address`: "host:port" or "[v6]:port"; names are resolved at each connection attempt, without
  // blocking the loop.
  static std::shared_ptr<Channel> Make(Loop& loop, std::string address, ChannelOptions options);
  virtual ~Channel() = default;

  // `done` runs later on the loop, exactly once, never inside this call.
  // Returns an id for CancelCall.
  virtual uint64_t Unary(const UnaryCall& call, UnaryDone done) = 0;
  virtual void CancelCall(uint64_t id) = 0;
  // The handler must live until its OnEnd.
  virtual std::shared_ptr<ClientStream> Stream(const UnaryCall& call,  // message unused
                                               std::shared_ptr<ClientStreamHandler> handler) = 0;

  virtual ChannelState state() const = 0;
  virtual const std::string& address() const = 0;
  virtual size_t calls_in_flight() const = 0;
  // Why the last connection attempt or connection failed; empty when it did not.
  virtual std::string last_error() const = 0;
  // Starts connecting when idle.
  virtual void Connect() = 0;
  // Called on every change of state; one listener.
  virtual void OnStateChange(std::function<void(ChannelState)> listener) = 0;
  // Lets open calls end (until `grace`, then Cancelled), refuses new ones.
  virtual void Close(Duration grace) = 0;
};

}  // namespace troth::net
