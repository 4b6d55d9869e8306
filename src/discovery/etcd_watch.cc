#include "discovery/etcd_watch.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "discovery/instance_json.h"

namespace troth {

EtcdWatch::EtcdWatch(net::Loop& loop,
                     EtcdClient& client,
                     const EtcdTimes& times,
                     std::string name,
                     InstancesFn on_change,
                     TroubleFn on_trouble,
                     std::function<void(EtcdWatch*)> on_gone)
    : client_(client),
      name_(std::move(name)),
      prefix_(ServicePrefix(name_)),
      on_change_(std::move(on_change)),
      on_trouble_(std::move(on_trouble)),
      on_gone_(std::move(on_gone)),
      backoff_(times.backoff_min, times.backoff_max),
      retry_timer_(loop, [this] { List(); }) {
  List();
}

void EtcdWatch::OnConnected() {
  if (retry_timer_.armed()) List();
}

void EtcdWatch::List() {
  retry_timer_.Cancel();
  client_.Range(prefix_, /*prefix=*/true, attempt_.Guard([this](StatusOr<EtcdRange> range) {
    OnList(std::move(range));
  }));
}

void EtcdWatch::OnList(StatusOr<EtcdRange> range) {
  if (!range.ok()) return Broken(range.status());
  backoff_.Reset();
  Entries entries;
  for (const EtcdEntry& entry : range->entries) entries.emplace(entry.key, Read(entry));
  const bool changed = !listed_ || entries != entries_;
  listed_ = true;
  entries_ = std::move(entries);
  stream_ = client_.Watch(
      prefix_,
      range->revision + 1,
      attempt_.Guard([this](std::vector<EtcdEvent> events) { OnEvents(std::move(events)); }),
      attempt_.Guard([this](const Status& end) { Broken(end); }));
  if (changed) Tell();
}

void EtcdWatch::OnEvents(std::vector<EtcdEvent> events) {
  for (const EtcdEvent& event : events) {
    if (event.deleted) {
      entries_.erase(event.entry.key);
    } else {
      entries_.insert_or_assign(event.entry.key, Read(event.entry));
    }
  }
  Tell();
}

void EtcdWatch::Broken(const Status& why) {
  attempt_.Cut();
  stream_.reset();
  const Duration delay = backoff_.Next(random_);
  LogWarn("watch broken; listing again",
          {{"service", name_},
           {"error", why},
           {"retry_ms", std::chrono::duration_cast<std::chrono::milliseconds>(delay).count()}});
  retry_timer_.ArmAfter(delay);
  if (!listed_) on_trouble_(why);
}

EtcdWatch::Entry EtcdWatch::Read(const EtcdEntry& entry) const {
  const auto known = entries_.find(entry.key);
  // The same as before: whatever there is to say about it has been logged.
  if (known != entries_.end() && known->second.value == entry.value) return known->second;
  Entry read{.value = entry.value, .instance = std::nullopt};
  StatusOr<ServiceInstance> instance = DecodeInstance(entry.value);
  if (!instance.ok()) {
    LogWarn("registry entry skipped",
            {{"key", ToValidUtf8(entry.key)}, {"error", instance.status()}});
  } else if (instance->name != name_) {
    // "a/b" is a service of its own below the prefix of "a".
    LogInfo("registry entry skipped: of another service",
            {{"key", ToValidUtf8(entry.key)}, {"service", instance->name}});
  } else {
    read.instance = *std::move(instance);
  }
  return read;
}

void EtcdWatch::Tell() {
  std::vector<ServiceInstance> instances;
  for (const auto& [key, entry] : entries_) {
    if (entry.instance) instances.push_back(*entry.instance);
  }
  on_change_(instances);
}

}  // namespace troth
