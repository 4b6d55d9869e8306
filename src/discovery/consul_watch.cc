#include "discovery/consul_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace troth {

ConsulWatch::ConsulWatch(net::Loop& loop,
                         ConsulClient& client,
                         const ConsulTimes& times,
                         std::string name,
                         InstancesFn on_change,
                         TroubleFn on_trouble)
    : client_(client),
      times_(times),
      name_(std::move(name)),
      on_change_(std::move(on_change)),
      on_trouble_(std::move(on_trouble)),
      backoff_(times.backoff_min, times.backoff_max),
      next_timer_(loop, [this] { Query(); }) {
  Query();
}

ConsulWatch::~ConsulWatch() { client_.Cancel(query_); }

void ConsulWatch::Query() {
  query_ = client_.Health(
      name_, index_, times_.wait, lifeline_.Guard([this](StatusOr<ConsulHealth> health) {
        OnHealth(std::move(health));
      }));
}

void ConsulWatch::OnHealth(StatusOr<ConsulHealth> health) {
  if (!health.ok()) return OnTrouble(health.status());
  backoff_.Reset();
  // An index that went back belongs to a Consul that lost its state: its next change may come at
  // any index.
  index_ = health->index < index_ ? 0 : health->index;
  next_timer_.ArmAfter(times_.pause);
  // Consul lists in no order, and answers without a change when it has waited long enough.
  std::sort(health->instances.begin(),
            health->instances.end(),
            [](const ServiceInstance& a, const ServiceInstance& b) { return a.id < b.id; });
  if (told_ == health->instances) return;
  told_ = std::move(health->instances);
  on_change_(*told_);
}

void ConsulWatch::OnTrouble(const Status& why) {
  index_ = 0;  // who answers next may be another Consul
  const Duration delay = backoff_.Next(random_);
  LogWarn("watch broken; asking again",
          {{"service", name_},
           {"error", why},
           {"retry_ms", std::chrono::duration_cast<std::chrono::milliseconds>(delay).count()}});
  next_timer_.ArmAfter(delay);
  if (!told_) on_trouble_(why);
}

}  // namespace troth
