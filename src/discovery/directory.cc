#include "discovery/directory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "discovery/endpoint_choice.h"
#include "discovery/open_registry.h"
#include "discovery/url.h"

namespace troth {
namespace {

// Registries in use at a time. Addresses of branches may name any host as a registry; each costs a
// connection that is tried for ever.
constexpr size_t kRegistriesMax = 64;

// What a subscriber asked for, and what it was told last.
struct Subscriber {
  std::string scheme;
  bool secure_ok;
  net::Loop* loop;
  std::function<void(const EndpointList&)> on_change;
  bool ended = false;                // for `loop` alone
  std::optional<EndpointList> told;  // for the home loop alone
};
using SubscriberPtr = std::shared_ptr<Subscriber>;

void Tell(const SubscriberPtr& subscriber, EndpointList list) {
  subscriber->loop->Post([subscriber, list = std::move(list)] {
    if (!subscriber->ended) subscriber->on_change(list);
  });
}

// A service that somebody follows. For the home loop.
struct Service {
  std::string name;
  std::string registry;  // its key in Impl::registries
  std::unique_ptr<Watch> watch;
  bool resolved = false;
  std::vector<ServiceInstance> instances;  // the last ones that were not none
  std::string error;                       // why there is nothing yet
  std::set<SubscriberPtr> subscribers;
};

EndpointList ListFor(const Service& service, const Subscriber& subscriber) {
  EndpointList list{.resolved = service.resolved, .endpoints = {}, .error = service.error};
  if (!service.resolved) return list;
  list.endpoints = ChooseEndpoints(service.instances, subscriber.scheme, subscriber.secure_ok);
  if (!list.endpoints.empty()) {
    list.error.clear();
  } else if (service.instances.empty()) {
    list.error = Cat("no instance of '", service.name, "' is registered in ", service.registry);
  } else {
    list.error = Cat("none of the ",
                     service.instances.size(),
                     " instances of '",
                     service.name,
                     "' in ",
                     service.registry,
                     " has ",
                     subscriber.secure_ok ? "a " : "a plain ",
                     subscriber.scheme,
                     " endpoint");
  }
  return list;
}

// Tells it what is new. Nothing is better than an empty list to one that has endpoints.
void Update(const Service& service, const SubscriberPtr& subscriber) {
  EndpointList list = ListFor(service, *subscriber);
  auto& told = subscriber->told;
  if (told == list) return;
  if (told && !told->endpoints.empty() && list.endpoints.empty()) return;
  told = list;
  Tell(subscriber, std::move(list));
}

void UpdateAll(const Service& service) {
  for (const SubscriberPtr& subscriber : service.subscribers) Update(service, subscriber);
}

// What the registry knows the target's service by.
std::string ServiceName(const Target& target) {
  return target.kind == TargetKind::kDns ? JoinText(target.hosts, ",") : target.service;
}

// Unique among running processes. In Consul an entry outlives a killed process by minutes, so there
// it is the same after a restart and replaces what was left.
std::string OwnId(const RegistryTarget& registry, const std::vector<std::string>& endpoints) {
  Random random = Random::FromDevice();
  if (registry.kind != TargetKind::kConsul || endpoints.empty()) return NewUuid(random);
  const StatusOr<Url> first = ParseUrl(endpoints.front());
  std::string host = first.ok() ? first->host : endpoints.front();
  std::replace(host.begin(), host.end(), ':', '-');
  return Cat(registry.service, "-", host);
}

}  // namespace

// --- On the home loop ----------------------------------------------------------------------------

struct Directory::Impl {
  net::Loop& home;
  const RegistryTarget configured;
  const RegistryTimes times;

  // By "etcd at h1:2379,h2:2379"; services by that and their name, before the registries they
  // watch.
  std::map<std::string, std::unique_ptr<Registry>> registries;
  std::map<std::pair<std::string, std::string>, Service> services;

  bool HasRegistry() const { return configured.kind != TargetKind::kDirect; }
  RegistryTarget RegistryOf(const Target& target) const;
  Service* Find(const Target& target);
  StatusOr<Registry*> Open(const RegistryTarget& target);
  void Follow(const Target& target, const SubscriberPtr& subscriber);
  void Start(Service& service, const RegistryTarget& registry);
  void Refresh(const Target& target);
  ServiceView Inspect(const Target& target);
  void Unfollow(const Target& target, const SubscriberPtr& subscriber);
  void RegisterSelf(ServiceInstance self);
  void DeregisterSelf(Duration timeout, std::function<void()> done);
};

// discovery:// asks the configured registry, whatever host it names; without one, its host as etcd.
// Credentials are for the configured registry alone.
RegistryTarget Directory::Impl::RegistryOf(const Target& target) const {
  const bool is_configured = target.kind == configured.kind && target.hosts == configured.hosts;
  if (HasRegistry() && (is_configured || target.kind == TargetKind::kDiscovery)) return configured;
  RegistryTarget other;
  other.kind = target.kind == TargetKind::kDiscovery ? TargetKind::kEtcd : target.kind;
  if (target.kind != TargetKind::kDns) other.hosts = target.hosts;
  return other;
}

StatusOr<Registry*> Directory::Impl::Open(const RegistryTarget& target) {
  const std::string name = RegistryName(target);
  if (const auto found = registries.find(name); found != registries.end()) {
    return found->second.get();
  }
  if (registries.size() >= kRegistriesMax) {
    return ResourceExhausted(Cat("more than ", kRegistriesMax, " registries are in use"));
  }
  TROTH_ASSIGN_OR_RETURN(auto registry, OpenRegistry(home, target, times));
  return registries.emplace(name, std::move(registry)).first->second.get();
}

void Directory::Impl::Follow(const Target& target, const SubscriberPtr& subscriber) {
  const RegistryTarget registry = RegistryOf(target);
  const auto [at, is_new] = services.try_emplace({RegistryName(registry), ServiceName(target)});
  Service& service = at->second;
  if (is_new) {
    service.name = at->first.second;
    service.registry = at->first.first;
    Start(service, registry);
  }
  service.subscribers.insert(subscriber);
  Update(service, subscriber);
}

void Directory::Impl::Start(Service& service, const RegistryTarget& target) {
  service.error = Cat(service.registry, " has not answered yet");
  const StatusOr<Registry*> registry = Open(target);
  if (!registry.ok()) {
    service.error = std::string(Message(registry.status()));
    return;
  }
  service.watch = (*registry)->WatchService(
      service.name,
      [&service](const std::vector<ServiceInstance>& instances) {
        service.resolved = true;
        if (!instances.empty()) service.instances = instances;
        UpdateAll(service);
      },
      [&service](const Status& why) {
        service.error = std::string(Message(why));
        UpdateAll(service);
      });
}

Service* Directory::Impl::Find(const Target& target) {
  const auto at = services.find({RegistryName(RegistryOf(target)), ServiceName(target)});
  return at == services.end() ? nullptr : &at->second;
}

void Directory::Impl::Refresh(const Target& target) {
  Service* const service = Find(target);
  if (service != nullptr && service->watch != nullptr) service->watch->Refresh();
}

ServiceView Directory::Impl::Inspect(const Target& target) {
  if (target.kind == TargetKind::kDirect) {
    return {.registry = "none; the address names its endpoints", .instances = {}};
  }
  const Service* const service = Find(target);
  if (service == nullptr) return {.registry = "none", .instances = {}};
  const auto registry = registries.find(service->registry);
  return {
      .registry = registry == registries.end() ? service->registry : registry->second->Describe(),
      .instances = service->instances};
}

void Directory::Impl::Unfollow(const Target& target, const SubscriberPtr& subscriber) {
  Service* const service = Find(target);
  if (service == nullptr) return;
  service->subscribers.erase(subscriber);
  if (!service->subscribers.empty()) return;
  const std::string registry = service->registry;
  services.erase({registry, ServiceName(target)});
  if (HasRegistry() && registry == RegistryName(configured)) return;
  if (target.kind == TargetKind::kDns) return;  // costs nothing, and its end may have to wait
  const bool in_use = std::any_of(services.begin(), services.end(), [&](const auto& other) {
    return other.first.first == registry;
  });
  if (!in_use) registries.erase(registry);
}

void Directory::Impl::RegisterSelf(ServiceInstance self) {
  const StatusOr<Registry*> registry = Open(configured);
  if (!registry.ok()) {
    return LogError("cannot register in the registry of MicroService.Target",
                    {{"error", registry.status()}});
  }
  self.id = OwnId(configured, self.endpoints);
  self.name = configured.service;
  (*registry)->Register(std::move(self));
}

void Directory::Impl::DeregisterSelf(Duration timeout, std::function<void()> done) {
  const auto registry = registries.find(RegistryName(configured));
  if (!HasRegistry() || registry == registries.end()) return done();
  registry->second->Deregister(timeout, std::move(done));
}

// --- On any thread -------------------------------------------------------------------------------

namespace {

// A direct target never changes: nothing to end but the first delivery.
class DirectSubscription final : public Subscription {
 public:
  explicit DirectSubscription(SubscriberPtr subscriber) : subscriber_(std::move(subscriber)) {}
  ~DirectSubscription() override { subscriber_->ended = true; }
  void Refresh() override {}

 private:
  const SubscriberPtr subscriber_;
};

class LookedUpSubscription final : public Subscription {
 public:
  LookedUpSubscription(SubscriberPtr subscriber,
                       std::function<void()> refresh,
                       std::function<void()> end)
      : subscriber_(std::move(subscriber)), refresh_(std::move(refresh)), end_(std::move(end)) {}
  ~LookedUpSubscription() override {
    subscriber_->ended = true;
    end_();
  }
  void Refresh() override { refresh_(); }

 private:
  const SubscriberPtr subscriber_;
  const std::function<void()> refresh_;
  const std::function<void()> end_;
};

EndpointList DirectList(const Target& target) {
  EndpointList list{.resolved = true, .endpoints = {}, .error = {}};
  for (const std::string& host : target.hosts) {
    const Endpoint endpoint{.address = host, .secure = target.secure};
    if (std::find(list.endpoints.begin(), list.endpoints.end(), endpoint) == list.endpoints.end()) {
      list.endpoints.push_back(endpoint);
    }
  }
  return list;
}

Status NoRegistry(std::string_view target) {
  return InvalidArgument(
      Cat("no registry is configured to look up '",
          target,
          "'. Set MicroService.Driver to dtm-driver-kratos and MicroService.Target to for example "
          "etcd://localhost:2379/dtmservice, or name the registry in the address, as in "
          "discovery://localhost:2379/trans"));
}

}  // namespace

Directory::Directory(net::Loop& home, RegistryTarget configured, const RegistryTimes& times)
    : impl_(new Impl{.home = home,
                     .configured = std::move(configured),
                     .times = times,
                     .registries = {},
                     .services = {}}) {}

Directory::~Directory() = default;

StatusOr<std::unique_ptr<Subscription>> Directory::Subscribe(
    std::string_view text,
    std::string_view scheme,
    net::Loop& loop,
    std::function<void(const EndpointList&)> on_change,
    bool secure_ok) {
  TROTH_ASSIGN_OR_RETURN(Target target, ParseTarget(text));
  if (target.secure && !secure_ok) {
    return InvalidArgument(
        Cat("'", text, "' needs TLS for outgoing calls, which is not configured"));
  }
  auto subscriber = std::make_shared<Subscriber>(Subscriber{.scheme = std::string(scheme),
                                                            .secure_ok = secure_ok,
                                                            .loop = &loop,
                                                            .on_change = std::move(on_change),
                                                            .ended = false,
                                                            .told = std::nullopt});
  if (target.kind == TargetKind::kDirect) {
    Tell(subscriber, DirectList(target));
    return std::make_unique<DirectSubscription>(std::move(subscriber));
  }
  const bool names_none = target.kind == TargetKind::kDiscovery && target.hosts.empty();
  if (names_none && !impl_->HasRegistry()) return NoRegistry(text);
  // The directory may be gone by the time the home loop gets to it.
  const auto at_home = [&home = impl_->home, impl = std::weak_ptr<Impl>(impl_)](auto work) {
    home.Post([impl, work] {
      if (const auto self = impl.lock()) work(*self);
    });
  };
  at_home([target, subscriber](Impl& self) { self.Follow(target, subscriber); });
  return std::make_unique<LookedUpSubscription>(
      subscriber,
      [at_home, target] { at_home([target](Impl& self) { self.Refresh(target); }); },
      [at_home, target, subscriber] {
        at_home([target, subscriber](Impl& self) { self.Unfollow(target, subscriber); });
      });
}

void Directory::Inspect(std::string_view text,
                        net::Loop& loop,
                        std::function<void(ServiceView)> done) {
  const StatusOr<Target> target = ParseTarget(text);
  impl_->home.Post([impl = std::weak_ptr<Impl>(impl_), target, &loop, done = std::move(done)] {
    const auto self = impl.lock();
    ServiceView view;
    if (self != nullptr && target.ok()) view = self->Inspect(*target);
    loop.Post([done, view = std::move(view)] { done(view); });
  });
}

void Directory::RegisterSelf(ServiceInstance self) {
  if (!impl_->HasRegistry()) return;
  impl_->home.Post([impl = std::weak_ptr<Impl>(impl_), self = std::move(self)] {
    if (const auto directory = impl.lock()) directory->RegisterSelf(self);
  });
}

void Directory::DeregisterSelf(Duration timeout, std::function<void()> done) {
  impl_->home.Post([impl = std::weak_ptr<Impl>(impl_), timeout, done = std::move(done)]() mutable {
    if (const auto self = impl.lock()) {
      self->DeregisterSelf(timeout, std::move(done));
    } else {
      done();
    }
  });
}

}  // namespace troth
