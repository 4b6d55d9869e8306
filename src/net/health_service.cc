#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "grpc/health/v1/health.pb.h"
#include "net/grpc_server.h"

namespace troth::net {

namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ServingStatus = HealthCheckResponse::ServingStatus;

std::string Serialized(ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  return response.SerializeAsString();
}

GrpcStatus NotARequest() {
  return {GrpcCode::kInvalidArgument, "the message is not a grpc.health.v1.HealthCheckRequest"};
}

}  // namespace

// States and who watches them. Shared by all loops.
struct HealthService::Impl : std::enable_shared_from_this<HealthService::Impl> {
  class Watcher;
  class WatchHandler;

  void Check(ServerCall& call, const std::string& message);
  // SERVICE_UNKNOWN when it is.
  ServingStatus StatusOf(const std::string& service);
  void Set(const std::string& service, bool serving);
  void Add(const std::string& service, std::shared_ptr<Watcher> watcher);
  void Remove(const std::string& service, const std::shared_ptr<Watcher>& watcher);

  std::mutex mutex;
  std::map<std::string, ServingStatus> statuses;                       // guarded by mutex
  std::map<std::string, std::set<std::shared_ptr<Watcher>>> watchers;  // guarded by mutex
};

// One Watch call. Lives on the loop of its call; `watchers` knows it until Stop.
class HealthService::Impl::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(std::shared_ptr<Impl> health, std::shared_ptr<ServerCall> call)
      : health_(std::move(health)), call_(std::move(call)) {}

  void Watch(const std::string& service) {
    service_ = service;
    health_->Add(service_, shared_from_this());
    Report();
  }
  void Stop() { health_->Remove(service_, shared_from_this()); }
  // From any thread: something changed.
  void Wake() {
    call_->loop().Post([self = shared_from_this()] { self->Report(); });
  }

 private:
  // However often the state changed in between, the client gets the latest one, once.
  void Report() {
    const ServingStatus now = health_->StatusOf(service_);
    if (call_->cancelled() || now == reported_) return;
    reported_ = now;
    call_->Write(Serialized(now));
  }

  const std::shared_ptr<Impl> health_;
  const std::shared_ptr<ServerCall> call_;
  std::string service_;
  ServingStatus reported_ = HealthCheckResponse::UNKNOWN;
};

// Turns the events of a Watch call into those of a watcher.
class HealthService::Impl::WatchHandler final : public ServerStreamHandler {
 public:
  WatchHandler(const std::shared_ptr<Impl>& health, const std::shared_ptr<ServerCall>& call)
      : call_(call), watcher_(std::make_shared<Watcher>(health, call)) {}
  ~WatchHandler() override { Stop(); }

  void OnMessage(std::string message) override {
    HealthCheckRequest request;
    if (watching_ || !request.ParseFromString(message)) return call_->Finish(NotARequest());
    watching_ = true;
    watcher_->Watch(request.service());
  }
  void OnHalfClose() override {
    if (!watching_) call_->Finish(NotARequest());
  }
  void OnCancel() override { Stop(); }

 private:
  void Stop() {
    if (std::exchange(watching_, false)) watcher_->Stop();
  }

  const std::shared_ptr<ServerCall> call_;
  const std::shared_ptr<Watcher> watcher_;
  bool watching_ = false;
};

void HealthService::Impl::Check(ServerCall& call, const std::string& message) {
  HealthCheckRequest request;
  if (!request.ParseFromString(message)) return call.Finish(NotARequest());
  const ServingStatus status = StatusOf(request.service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    return call.Finish({GrpcCode::kNotFound, Cat("unknown service ", request.service())});
  }
  call.FinishOk(Serialized(status));
}

ServingStatus HealthService::Impl::StatusOf(const std::string& service) {
  const std::lock_guard lock(mutex);
  const auto found = statuses.find(service);
  return found != statuses.end() ? found->second : HealthCheckResponse::SERVICE_UNKNOWN;
}

void HealthService::Impl::Set(const std::string& service, bool serving) {
  std::set<std::shared_ptr<Watcher>> told;
  {
    const std::lock_guard lock(mutex);
    statuses[service] = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
    if (const auto found = watchers.find(service); found != watchers.end()) told = found->second;
  }
  for (const std::shared_ptr<Watcher>& watcher : told) watcher->Wake();
}

void HealthService::Impl::Add(const std::string& service, std::shared_ptr<Watcher> watcher) {
  const std::lock_guard lock(mutex);
  watchers[service].insert(std::move(watcher));
}

void HealthService::Impl::Remove(const std::string& service,
                                 const std::shared_ptr<Watcher>& watcher) {
  const std::lock_guard lock(mutex);
  const auto found = watchers.find(service);
  if (found == watchers.end()) return;
  found->second.erase(watcher);
  if (found->second.empty()) watchers.erase(found);
}

HealthService::HealthService() : impl_(std::make_shared<Impl>()) { SetServing("", false); }

HealthService::~HealthService() = default;

void HealthService::Register(GrpcServer& server) {
  server.AddUnary("/grpc.health.v1.Health/Check",
                  [health = impl_](const std::shared_ptr<ServerCall>& call,
                                   const std::string& message) { health->Check(*call, message); });
  server.AddStream("/grpc.health.v1.Health/Watch",
                   [health = impl_](const std::shared_ptr<ServerCall>& call) {
                     return std::make_unique<Impl::WatchHandler>(health, call);
                   });
}

void HealthService::SetServing(std::string_view service, bool serving) {
  impl_->Set(std::string(service), serving);
}

}  // namespace troth::net
