#include "discovery/consul_registration.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "discovery/consul_service.h"

namespace troth {

ConsulRegistration::ConsulRegistration(net::Loop& loop,
                                       ConsulClient& client,
                                       const ConsulTimes& times,
                                       const ServiceInstance& instance)
    : loop_(loop),
      client_(client),
      times_(times),
      id_(instance.id),
      check_(ConsulHeartbeatCheck(instance)),
      body_(EncodeConsulService(instance)),
      backoff_(times.backoff_min, times.backoff_max),
      retry_timer_(loop, [this] { Begin(); }),
      beat_timer_(loop, [this] { Beat(); }),
      remove_timer_(loop, [this] { FinishRemoval(); }) {
  Begin();
}

void ConsulRegistration::Begin() {
  attempt_.Cut();
  client_.Register(body_, attempt_.Guard([this](const Status& status) {
    // The first heartbeat at once: until then Consul takes the service for dead.
    status.ok() ? Beat() : Lost(status);
  }));
}

void ConsulRegistration::Beat() {
  client_.Pass(check_, attempt_.Guard([this](const Status& status) { OnBeat(status); }));
}

void ConsulRegistration::OnBeat(const Status& status) {
  if (!status.ok()) return Lost(status);
  if (!registered_) LogInfo("registered", {{"registry", client_.Describe()}, {"id", id_}});
  registered_ = true;
  backoff_.Reset();
  beat_timer_.ArmAfter(times_.heartbeat);
}

void ConsulRegistration::Lost(const Status& why) {
  registered_ = false;
  beat_timer_.Cancel();
  attempt_.Cut();
  const Duration delay = backoff_.Next(random_);
  LogWarn("not registered; trying again",
          {{"id", id_},
           {"error", why},
           {"retry_ms", std::chrono::duration_cast<std::chrono::milliseconds>(delay).count()}});
  retry_timer_.ArmAfter(delay);
}

void ConsulRegistration::Remove(Duration timeout, std::function<void()> done) {
  registered_ = false;
  removed_ = std::move(done);
  beat_timer_.Cancel();
  attempt_.Cut();
  backoff_.Reset();
  retry_timer_.set_callback([this] { TryRemove(); });
  remove_timer_.ArmAfter(timeout);
  TryRemove();
}

void ConsulRegistration::TryRemove() {
  client_.Deregister(id_, attempt_.Guard([this](const Status& status) {
    if (status.ok()) return FinishRemoval();
    LogWarn("could not de-register yet", {{"id", id_}, {"error", status}});
    retry_timer_.ArmAfter(backoff_.Next(random_));
  }));
}

void ConsulRegistration::FinishRemoval() {
  attempt_.Cut();
  retry_timer_.Cancel();
  remove_timer_.Cancel();
  LogInfo("de-registered", {{"id", id_}});
  if (removed_) loop_.Post(std::exchange(removed_, nullptr));
}

}  // namespace troth
