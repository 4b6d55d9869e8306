#include "discovery/etcd_client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "discovery/etcd_answers.h"
#include "discovery/etcd_stream_internal.h"
#include "discovery/lifeline.h"
#include "etcd.pb.h"
#include "net/grpc_client.h"

namespace troth {
namespace {

// A service of a few thousand instances comes in one answer.
constexpr uint32_t kAnswerBytesMax = 64 << 20;

// The end of the range of all keys that begin with `prefix`: the next key that does not.
std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');  // etcd's way to say: no end
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

class GrpcEtcdClient final : public EtcdClient {
 public:
  GrpcEtcdClient(net::Loop& loop, EtcdOptions options)
      : loop_(loop), options_(std::move(options)), channels_(options_.hosts.size()) {
    TROTH_CHECK(!options_.hosts.empty());
  }
  ~GrpcEtcdClient() override {
    for (const auto& channel : channels_) {
      if (channel == nullptr) continue;
      channel->OnStateChange(nullptr);
      channel->Close(Duration::zero());
    }
  }

  void Range(std::string_view key, bool prefix, RangeFn done) override;
  void Put(std::string_view key, std::string_view value, int64_t lease, StatusFn done) override;
  void Delete(std::string_view key, StatusFn done) override;
  void GrantLease(Duration ttl, LeaseFn done) override;
  void RevokeLease(int64_t lease, StatusFn done) override;
  std::unique_ptr<EtcdKeepAlive> KeepAlive(int64_t lease,
                                           std::function<void(Duration ttl)> on_ttl,
                                           StatusFn on_end) override;
  std::unique_ptr<EtcdStream> Watch(std::string_view prefix,
                                    int64_t start_revision,
                                    EventsFn on_events,
                                    StatusFn on_end) override;
  void OnConnected(std::function<void()> listener) override { on_connected_ = std::move(listener); }
  std::string Describe() const override;

 private:
  using Answer = StatusOr<std::string>;
  // A unary call on its way through the hosts.
  struct Pending {
    std::string path;
    std::string request;
    std::function<void(Answer)> done;
    size_t hosts_left;
    bool may_authenticate;
  };

  net::Channel& Current();
  std::shared_ptr<net::Channel> MakeChannel(size_t host);
  void OnState(size_t host, net::ChannelState state);
  void LeaveHost(size_t host);

  // Sends `request` to the current host, to the next one if that does not answer, and so on.
  // done(read(answer)), or done(error).
  template <typename T>
  void Call(std::string_view path,
            const google::protobuf::MessageLite& request,
            StatusOr<T> (*read)(const std::string& answer),
            std::function<void(StatusOr<T>)> done);
  void CallForStatus(std::string_view path,
                     const google::protobuf::MessageLite& request,
                     StatusFn done);
  void Start(Pending call);
  void Attempt(Pending call);
  void OnAnswer(Pending call, size_t host, net::UnaryResult result);
  void Authenticate(Pending next);
  std::vector<net::MetadataView> CallMetadata() const;

  std::shared_ptr<EtcdStreamState> Open(std::string_view path,
                                        std::function<Status(std::string)> on_message,
                                        StatusFn on_end);

  net::Loop& loop_;
  const EtcdOptions options_;
  std::vector<std::shared_ptr<net::Channel>> channels_;  // by host; made when first needed
  size_t current_ = 0;
  std::string token_;  // of the last Authenticate; empty: none
  std::function<void()> on_connected_;
  Lifeline lifeline_;  // of every callback into this
};

// --- Hosts ---------------------------------------------------------------------------------------

net::Channel& GrpcEtcdClient::Current() {
  auto& channel = channels_[current_];
  if (channel == nullptr) channel = MakeChannel(current_);
  return *channel;
}

std::shared_ptr<net::Channel> GrpcEtcdClient::MakeChannel(size_t host) {
  net::ChannelOptions options;
  options.tls = options_.tls;
  options.limits.message_bytes_max = kAnswerBytesMax;
  options.connect_timeout = options_.call_timeout;
  options.backoff_max = options_.reconnect_max;
  options.keepalive_interval = options_.keepalive_interval;
  options.keepalive_timeout = options_.keepalive_timeout;
  auto channel = net::Channel::Make(loop_, options_.hosts[host], std::move(options));
  channel->OnStateChange(
      lifeline_.Guard([this, host](net::ChannelState state) { OnState(host, state); }));
  channel->Connect();
  return channel;
}

void GrpcEtcdClient::OnState(size_t host, net::ChannelState state) {
  if (host != current_) return;
  if (state == net::ChannelState::kReady) {
    LogInfo("etcd connected", {{"host", options_.hosts[host]}});
    if (on_connected_) loop_.Post(lifeline_.Guard([this] { on_connected_(); }));
  } else if (state == net::ChannelState::kIdle) {
    // Streams wait for etcd to come back, so the connection is always wanted.
    loop_.Post(lifeline_.Guard([this, host] { channels_[host]->Connect(); }));
  }
}

void GrpcEtcdClient::LeaveHost(size_t host) {
  if (host == current_) current_ = (current_ + 1) % options_.hosts.size();
}

std::string GrpcEtcdClient::Describe() const {
  std::string text = Cat("etcd at ", JoinText(options_.hosts, ","));
  const auto& channel = channels_[current_];
  if (channel == nullptr) return Cat(text, " (not connected yet)");
  if (channel->state() == net::ChannelState::kReady) {
    return Cat(text, " (connected to ", options_.hosts[current_], ")");
  }
  return Cat(text, " (not connected: ", channel->last_error(), ")");
}

// --- Unary calls ---------------------------------------------------------------------------------

template <typename T>
void GrpcEtcdClient::Call(std::string_view path,
                          const google::protobuf::MessageLite& request,
                          StatusOr<T> (*read)(const std::string& answer),
                          std::function<void(StatusOr<T>)> done) {
  Start({.path = std::string(path),
         .request = request.SerializeAsString(),
         .done = [read, done = std::move(done)](
                     const Answer& answer) { done(answer.ok() ? read(*answer) : answer.status()); },
         .hosts_left = options_.hosts.size(),
         .may_authenticate = !options_.user.empty()});
}

void GrpcEtcdClient::CallForStatus(std::string_view path,
                                   const google::protobuf::MessageLite& request,
                                   StatusFn done) {
  Start({.path = std::string(path),
         .request = request.SerializeAsString(),
         .done = [done = std::move(done)](const Answer& answer) { done(answer.status()); },
         .hosts_left = options_.hosts.size(),
         .may_authenticate = !options_.user.empty()});
}

void GrpcEtcdClient::Start(Pending call) {
  if (!options_.user.empty() && token_.empty() && call.may_authenticate) {
    return Authenticate(std::move(call));
  }
  Attempt(std::move(call));
}

std::vector<net::MetadataView> GrpcEtcdClient::CallMetadata() const {
  if (token_.empty()) return {};
  return {{.key = "token", .value = token_, .never_index = true}};
}

void GrpcEtcdClient::Attempt(Pending call) {
  net::Channel& channel = Current();
  // Whoever is left when the answer comes is not who is current by then.
  const size_t host = current_;
  const std::vector<net::MetadataView> metadata = CallMetadata();
  auto pending = std::make_shared<Pending>(std::move(call));
  const net::UnaryCall unary{.path = pending->path,
                             .metadata = metadata,
                             .message = pending->request,
                             .timeout = options_.call_timeout};
  channel.Unary(unary, lifeline_.Guard([this, pending, host](net::UnaryResult result) {
    OnAnswer(std::move(*pending), host, std::move(result));
  }));
}

void GrpcEtcdClient::OnAnswer(Pending call, size_t host, net::UnaryResult result) {
  using enum StatusCode;
  if (result.status.ok()) return call.done(std::move(result.message));
  const StatusCode code = result.status.code;
  if (code == kUnavailable || code == kDeadlineExceeded) {
    LeaveHost(host);
    // What is called here may run twice without harm: a lease too many dies by itself.
    if (--call.hosts_left > 0) return Attempt(std::move(call));
  }
  if (code == kUnauthenticated && call.may_authenticate && !token_.empty()) {
    token_.clear();  // it expired, or etcd was restarted
    return Authenticate(std::move(call));
  }
  call.done(MakeStatus(
      code, Cat("etcd at ", options_.hosts[host], ", ", call.path, ": ", result.status.message)));
}

void GrpcEtcdClient::Authenticate(Pending next) {
  etcd::AuthenticateRequest request;
  request.set_name(options_.user);
  request.set_password(options_.password);
  next.may_authenticate = false;  // once is enough
  auto waiting = std::make_shared<Pending>(std::move(next));
  Attempt({.path = "/etcdserverpb.Auth/Authenticate",
           .request = request.SerializeAsString(),
           .done =
               [this, waiting](Answer answer) {
                 if (!answer.ok()) return waiting->done(answer.status());
                 StatusOr<std::string> token = ReadEtcdToken(*answer);
                 if (!token.ok()) return waiting->done(token.status());
                 token_ = *std::move(token);
                 Attempt(std::move(*waiting));
               },
           .hosts_left = options_.hosts.size(),
           .may_authenticate = false});
}

void GrpcEtcdClient::Range(std::string_view key, bool prefix, RangeFn done) {
  etcd::RangeRequest request;
  request.set_key(std::string(key));
  if (prefix) request.set_range_end(PrefixEnd(key));
  Call<EtcdRange>("/etcdserverpb.KV/Range", request, ReadEtcdRange, std::move(done));
}

void GrpcEtcdClient::Put(std::string_view key,
                         std::string_view value,
                         int64_t lease,
                         StatusFn done) {
  etcd::PutRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_lease(lease);
  CallForStatus("/etcdserverpb.KV/Put", request, std::move(done));
}

void GrpcEtcdClient::Delete(std::string_view key, StatusFn done) {
  etcd::DeleteRangeRequest request;
  request.set_key(std::string(key));
  CallForStatus("/etcdserverpb.KV/DeleteRange", request, std::move(done));
}

void GrpcEtcdClient::GrantLease(Duration ttl, LeaseFn done) {
  etcd::LeaseGrantRequest request;
  request.set_ttl_seconds(std::chrono::duration_cast<std::chrono::seconds>(ttl).count());
  Call<int64_t>("/etcdserverpb.Lease/LeaseGrant", request, ReadEtcdLease, std::move(done));
}

void GrpcEtcdClient::RevokeLease(int64_t lease, StatusFn done) {
  etcd::LeaseRevokeRequest request;
  request.set_id(lease);
  CallForStatus("/etcdserverpb.Lease/LeaseRevoke", request, std::move(done));
}

// --- Streams -------------------------------------------------------------------------------------

std::shared_ptr<EtcdStreamState> GrpcEtcdClient::Open(std::string_view path,
                                                      std::function<Status(std::string)> on_message,
                                                      StatusFn on_end) {
  net::Channel& channel = Current();
  const size_t host = current_;
  auto left = [this, host, on_end = std::move(on_end)](const Status& status) {
    if (status.code() == StatusCode::kUnavailable) LeaveHost(host);
    if (status.code() == StatusCode::kUnauthenticated) token_.clear();
    on_end(MakeStatus(status.code(), Cat("etcd at ", options_.hosts[host], ": ", Message(status))));
  };
  auto state =
      std::make_shared<EtcdStreamState>(std::move(on_message), lifeline_.Guard(std::move(left)));
  const std::vector<net::MetadataView> metadata = CallMetadata();
  state->Attach(channel.Stream({.path = path, .metadata = metadata, .message = {}}, state));
  return state;
}

class KeepAliveStream final : public EtcdKeepAlive {
 public:
  KeepAliveStream(std::shared_ptr<EtcdStreamState> state, int64_t lease)
      : state_(std::move(state)) {
    etcd::LeaseKeepAliveRequest request;
    request.set_id(lease);
    request_ = request.SerializeAsString();
  }
  ~KeepAliveStream() override { state_->Detach(); }
  void Send() override { state_->Write(request_); }

 private:
  std::shared_ptr<EtcdStreamState> state_;
  std::string request_;
};

class WatchStream final : public EtcdStream {
 public:
  explicit WatchStream(std::shared_ptr<EtcdStreamState> state) : state_(std::move(state)) {}
  ~WatchStream() override { state_->Detach(); }

 private:
  std::shared_ptr<EtcdStreamState> state_;
};

std::unique_ptr<EtcdKeepAlive> GrpcEtcdClient::KeepAlive(int64_t lease,
                                                         std::function<void(Duration ttl)> on_ttl,
                                                         StatusFn on_end) {
  auto read = [on_ttl = std::move(on_ttl)](const std::string& message) -> Status {
    TROTH_ASSIGN_OR_RETURN(const Duration ttl, ReadEtcdTtl(message));
    on_ttl(ttl);
    return OkStatus();
  };
  return std::make_unique<KeepAliveStream>(
      Open("/etcdserverpb.Lease/LeaseKeepAlive", std::move(read), std::move(on_end)), lease);
}

std::unique_ptr<EtcdStream> GrpcEtcdClient::Watch(std::string_view prefix,
                                                  int64_t start_revision,
                                                  EventsFn on_events,
                                                  StatusFn on_end) {
  auto state = Open(
      "/etcdserverpb.Watch/Watch",
      [on_events = std::move(on_events)](const std::string& message) -> Status {
        TROTH_ASSIGN_OR_RETURN(std::vector<EtcdEvent> events, ReadEtcdEvents(message));
        if (!events.empty()) on_events(std::move(events));
        return OkStatus();
      },
      std::move(on_end));
  etcd::WatchRequest request;
  etcd::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(std::string(prefix));
  create.set_range_end(PrefixEnd(prefix));
  create.set_start_revision(start_revision);
  state->Write(request.SerializeAsString());
  return std::make_unique<WatchStream>(std::move(state));
}

}  // namespace

std::unique_ptr<EtcdClient> EtcdClient::Make(net::Loop& loop, EtcdOptions options) {
  return std::make_unique<GrpcEtcdClient>(loop, std::move(options));
}

}  // namespace troth
