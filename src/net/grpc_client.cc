#include "net/grpc_client.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/grpc_client_internal.h"

namespace troth::net {

namespace {

// A connection that was ready for this long "lived": when it ends the next attempt is made at once.
constexpr Duration kLivedMin = std::chrono::seconds(1);

constexpr GrpcCode kUnavailable = GrpcCode::kUnavailable;

uint32_t SlotIndex(uint64_t id) { return static_cast<uint32_t>(id) - 1; }
uint64_t SlotId(uint32_t index, uint32_t generation) {
  return static_cast<uint64_t>(generation) << 32 | (index + 1);
}

}  // namespace

std::shared_ptr<Channel> Channel::Make(Loop& loop, std::string address, ChannelOptions options) {
  return std::make_shared<ChannelImpl>(loop, std::move(address), std::move(options));
}

ChannelImpl::ChannelImpl(Loop& loop, std::string address, ChannelOptions options)
    : loop_(loop),
      address_(std::move(address)),
      options_(std::move(options)),
      authority_(options_.authority.empty() ? address_ : options_.authority),
      target_(ParseHostPort(address_)),
      backoff_timer_(loop, [this] { StartConnecting(); }),
      grace_timer_(loop, [this] {
        for (const auto& call : OpenCalls()) call->Cancel();
      }) {}

ChannelImpl::~ChannelImpl() {
  listener_ = nullptr;
  state_ = ChannelState::kClosed;
  if (connector_ != nullptr) connector_->Cancel();
  for (const auto& call : OpenCalls())
    call->End({GrpcCode::kCancelled, "the channel was destroyed"});
  ReleaseConnection();
  for (const auto& weak : draining_) {
    const auto connection = weak.lock();
    if (connection == nullptr) continue;
    connection->Forget();
    connection->Close(Cancelled("the channel was destroyed"));
  }
}

// --- calls

uint64_t ChannelImpl::Unary(const UnaryCall& call, UnaryDone done) {
  auto started = std::make_shared<GrpcClientCall>(*this, std::move(done));
  Begin(call, started);
  return started->id();
}

std::shared_ptr<ClientStream> ChannelImpl::Stream(const UnaryCall& call,
                                                  std::shared_ptr<ClientStreamHandler> handler) {
  auto started = std::make_shared<GrpcClientCall>(*this, std::move(handler));
  Begin(call, started);
  return started;
}

void ChannelImpl::Begin(const UnaryCall& call, const std::shared_ptr<GrpcClientCall>& started) {
  Register(started);
  const GrpcStatus refusal = RefusalFor(call);
  if (!refusal.ok()) return EndLater(started, refusal);
  started->StartDeadline(call.timeout);
  if (state_ == ChannelState::kReady && waiting_.empty() && connection_->session().MayOpen()) {
    const Status opened = started->Open(call, *connection_);
    if (!opened.ok()) EndLater(started, {kUnavailable, std::string(Message(opened))});
    return;
  }
  started->Keep(call);
  waiting_.push_back(started);
  Connect();
}

GrpcStatus ChannelImpl::RefusalFor(const UnaryCall& call) const {
  if (!target_.ok()) return {kUnavailable, std::string(Message(target_.status()))};
  if (state_ == ChannelState::kClosed) return {kUnavailable, "the channel is closed"};
  if (state_ == ChannelState::kBackoff && !call.wait_for_ready) return {kUnavailable, last_error_};
  if (waiting_.size() >= options_.waiting_calls_max) {
    return {kUnavailable,
            Cat("more than ", options_.waiting_calls_max, " calls wait for ", address_)};
  }
  return {};
}

// Never inside the call that started it.
void ChannelImpl::EndLater(const std::shared_ptr<GrpcClientCall>& call, GrpcStatus status) {
  loop_.Post([call, status = std::move(status)] { call->End(status); });
}

void ChannelImpl::Register(const std::shared_ptr<GrpcClientCall>& call) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index].call = call;
  call->set_id(SlotId(index, slots_[index].generation));
}

void ChannelImpl::Forget(GrpcClientCall& call) {
  const uint32_t index = SlotIndex(call.id());
  slots_[index].call.reset();
  ++slots_[index].generation;
  free_slots_.push_back(index);
  if (state_ == ChannelState::kClosed && calls_in_flight() == 0) CloseConnectionIfUnused();
}

void ChannelImpl::CancelCall(uint64_t id) {
  const uint32_t index = SlotIndex(id);
  if (index >= slots_.size() || slots_[index].call == nullptr) return;
  if (slots_[index].call->id() != id) return;  // that one has ended, another has its place
  EndLater(slots_[index].call, {GrpcCode::kCancelled, "context canceled"});
}

std::vector<std::shared_ptr<GrpcClientCall>> ChannelImpl::OpenCalls() const {
  std::vector<std::shared_ptr<GrpcClientCall>> calls;
  for (const Slot& slot : slots_) {
    if (slot.call != nullptr) calls.push_back(slot.call);
  }
  return calls;
}

void ChannelImpl::OpenWaiting() {
  while (!waiting_.empty() && state_ == ChannelState::kReady) {
    const bool ended = waiting_.front()->ended();
    if (!ended && !connection_->session().MayOpen()) return;
    const std::shared_ptr<GrpcClientCall> call = std::move(waiting_.front());
    waiting_.pop_front();
    if (!ended) call->OpenKept(*connection_);
  }
}

void ChannelImpl::EndWaiting(const std::string& why, bool also_patient) {
  std::deque<std::shared_ptr<GrpcClientCall>> waiting = std::exchange(waiting_, {});
  for (std::shared_ptr<GrpcClientCall>& call : waiting) {
    if (call->ended()) continue;
    if (call->wait_for_ready() && !also_patient) {
      waiting_.push_back(std::move(call));
    } else {
      call->End({kUnavailable, why});
    }
  }
}

// --- the connection

void ChannelImpl::SetState(ChannelState state) {
  if (state_ == state) return;
  state_ = state;
  if (listener_) listener_(state);
}

void ChannelImpl::OnStateChange(std::function<void(ChannelState)> listener) {
  listener_ = std::move(listener);
}

void ChannelImpl::Connect() {
  if (state_ == ChannelState::kIdle && target_.ok()) StartConnecting();
}

void ChannelImpl::StartConnecting() {
  connector_ = TcpConnector::Start(
      loop_, *target_, options_.connect_timeout, [this](StatusOr<TcpConnector::Socket> socket) {
        OnConnected(std::move(socket));
      });
  SetState(ChannelState::kConnecting);
}

void ChannelImpl::OnConnected(StatusOr<TcpConnector::Socket> socket) {
  const auto keep_alive = shared_from_this();
  connector_ = nullptr;
  if (!socket.ok()) return EnterBackoff(Message(socket.status()));
  connection_ =
      std::make_shared<GrpcClientConnection>(*this, *std::move(socket), ConnectionOptions());
  connection_->Start();
}

Http2ConnectionOptions ChannelImpl::ConnectionOptions() const {
  Http2ConnectionOptions made;
  made.http2.server = false;
  made.http2.stream_window_bytes = options_.limits.stream_window_bytes;
  made.http2.connection_window_bytes = options_.limits.connection_window_bytes;
  made.http2.header_bytes_max = options_.limits.header_bytes_max;
  made.tls = options_.tls;
  made.tls_host = target_->host;
  made.write_buffer_bytes_max = options_.limits.write_buffer_bytes_max;
  made.handshake_timeout = options_.connect_timeout;
  made.keepalive_interval = options_.keepalive_interval;
  made.keepalive_timeout = options_.keepalive_timeout;
  made.keepalive_without_streams = false;
  return made;
}

void ChannelImpl::OnConnectionReady() {
  last_error_.clear();
  SetState(ChannelState::kReady);
  OpenWaiting();
}

void ChannelImpl::OnConnectionGoesAway(GrpcClientConnection& connection,
                                       Http2Error error,
                                       std::string_view text) {
  if (&connection != connection_.get()) return;
  if (error != Http2Error::kNone) last_error_ = Cat(address_, " sent GOAWAY: ", text);
  draining_.push_back(connection_);
  connection_ = nullptr;
  if (state_ == ChannelState::kClosed) return;
  // A server that asks us to leave politely is not bothered before there is a call.
  if (error == Http2Error::kNone && waiting_.empty()) {
    if (Lived(connection)) failures_ = 0;
    return SetState(ChannelState::kIdle);
  }
  Reconnect(connection, Cat(address_, " sent GOAWAY: ", text));
}

bool ChannelImpl::Lived(const GrpcClientConnection& connection) const {
  return state_ == ChannelState::kReady && loop_.turn_time() - connection.ready_at() >= kLivedMin;
}

// At once after a connection that lived, else after a pause.
void ChannelImpl::Reconnect(const GrpcClientConnection& lost, std::string_view why) {
  if (!Lived(lost)) return EnterBackoff(why);
  failures_ = 0;
  StartConnecting();
}

void ChannelImpl::OnConnectionClosed(GrpcClientConnection& connection, const Status& why) {
  const auto keep_alive = shared_from_this();
  std::erase_if(draining_, [&connection](const auto& weak) {
    const auto draining = weak.lock();
    return draining == nullptr || draining.get() == &connection;
  });
  if (&connection != connection_.get()) return;
  connection_ = nullptr;
  last_error_ = Message(why);
  if (state_ != ChannelState::kClosed) Reconnect(connection, Message(why));
}

void ChannelImpl::EnterBackoff(std::string_view why) {
  last_error_ = why;
  // Doubles up to the maximum; spread by a fifth, so that one outage's clients do not return as
  // one.
  constexpr uint32_t kDoublingsMax = 20;
  const Duration delay = std::min(options_.backoff_max,
                                  options_.backoff_min * (1 << std::min(failures_, kDoublingsMax)));
  ++failures_;
  const double spread = 0.8 + 0.4 * random_.Unit();
  backoff_timer_.ArmAfter(
      Duration(static_cast<int64_t>(static_cast<double>(delay.count()) * spread)));
  SetState(ChannelState::kBackoff);
  EndWaiting(last_error_, false);
}

// --- the end

void ChannelImpl::Close(Duration grace) {
  if (state_ == ChannelState::kClosed) return;
  const auto keep_alive = shared_from_this();
  backoff_timer_.Cancel();
  if (connector_ != nullptr) std::exchange(connector_, nullptr)->Cancel();
  SetState(ChannelState::kClosed);
  EndWaiting("the channel was closed", true);
  if (calls_in_flight() == 0) return CloseConnectionIfUnused();
  grace_timer_.ArmAfter(grace);
}

void ChannelImpl::CloseConnectionIfUnused() {
  grace_timer_.Cancel();
  if (connection_ != nullptr) connection_->session().Terminate(Http2Error::kNone);
}

void ChannelImpl::ReleaseConnection() {
  const auto connection = std::exchange(connection_, nullptr);
  if (connection == nullptr) return;
  connection->Forget();
  connection->Close(Cancelled("the channel was destroyed"));
}

// --- what the connection tells

GrpcClientConnection::GrpcClientConnection(ChannelImpl& channel,
                                           Socket socket,
                                           Http2ConnectionOptions options)
    : Http2Connection(channel.loop(), std::move(socket), std::move(options)), channel_(&channel) {}

void GrpcClientConnection::OnReady() { ready_at_ = loop().turn_time(); }

void GrpcClientConnection::OnSettings(bool first) {
  Http2Connection::OnSettings(first);
  if (channel_ == nullptr) return;
  if (first) return channel_->OnConnectionReady();
  channel_->OpenWaiting();  // perhaps more streams are allowed now
}

void GrpcClientConnection::OnStreamGone() {
  if (channel_ != nullptr && !closed()) channel_->OpenWaiting();
}

void GrpcClientConnection::OnGoAway(Http2Error error, std::string_view debug_text) {
  if (channel_ != nullptr) channel_->OnConnectionGoesAway(*this, error, debug_text);
}

void GrpcClientConnection::OnClosed(const Status& why) {
  if (channel_ != nullptr) std::exchange(channel_, nullptr)->OnConnectionClosed(*this, why);
}

}  // namespace troth::net
