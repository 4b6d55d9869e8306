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
#include "discovery/etcd_registry.h"

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

EtcdOptions EtcdOptionsOf(const RegistryTarget& target) {
  EtcdOptions options;
  options.hosts = target.hosts;
  options.user = target.user;
  options.password = target.password;
  return options;
}

}  // namespace

// --- On the home loop ----------------------------------------------------------------------------

struct Directory::Impl {
  net::Loop& home;
  const RegistryTarget configured;
  const EtcdTimes times;

  // By "etcd at h1:2379,h2:2379"; services by that and their name, before the registries they
  // watch.
  std::map<std::string, std::unique_ptr<Registry>> registries;
  std::map<std::pair<std::string, std::string>, Service> services;

  bool HasRegistry() const { return configured.kind != TargetKind::kDirect; }
  std::vector<std::string> RegistryHosts(const Target& target) const;
  StatusOr<Registry*> Open(const std::string& key, const std::vector<std::string>& hosts);
  void Follow(const Target& target, const SubscriberPtr& subscriber);
  void Start(Service& service, const std::vector<std::string>& hosts);
  void Unfollow(const Target& target, const SubscriberPtr& subscriber);
  void RegisterSelf(std::vector<std::string> endpoints, std::string version);
  void DeregisterSelf(Duration timeout, std::function<void()> done);
};

namespace {

std::string RegistryKey(const std::vector<std::string>& hosts) {
  return Cat("etcd at ", JoinText(hosts, ","));
}

}  // namespace

// discovery:// asks the configured registry, whatever host it names; without one, its host as etcd.
std::vector<std::string> Directory::Impl::RegistryHosts(const Target& target) const {
  if (target.kind == TargetKind::kDiscovery && HasRegistry()) return configured.hosts;
  return target.hosts;
}

StatusOr<Registry*> Directory::Impl::Open(const std::string& key,
                                          const std::vector<std::string>& hosts) {
  if (const auto found = registries.find(key); found != registries.end()) {
    return found->second.get();
  }
  if (registries.size() >= kRegistriesMax) {
    return ResourceExhausted(Cat("more than ", kRegistriesMax, " registries are in use"));
  }
  EtcdOptions options;
  options.hosts = hosts;
  // Credentials are for the configured registry alone.
  if (HasRegistry() && hosts == configured.hosts) {
    options = EtcdOptionsOf(configured);
    TROTH_ASSIGN_OR_RETURN(options.tls, LoadRegistryTls(configured));
  }
  auto& registry = registries[key];
  registry = MakeEtcdRegistry(home, std::move(options), times);
  return registry.get();
}

void Directory::Impl::Follow(const Target& target, const SubscriberPtr& subscriber) {
  const std::vector<std::string> hosts = RegistryHosts(target);
  const auto [at, is_new] = services.try_emplace({RegistryKey(hosts), target.service});
  Service& service = at->second;
  if (is_new) {
    service.name = target.service;
    service.registry = at->first.first;
    Start(service, hosts);
  }
  service.subscribers.insert(subscriber);
  Update(service, subscriber);
}

void Directory::Impl::Start(Service& service, const std::vector<std::string>& hosts) {
  service.error = Cat(service.registry, " has not answered yet");
  const StatusOr<Registry*> registry = Open(service.registry, hosts);
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

void Directory::Impl::Unfollow(const Target& target, const SubscriberPtr& subscriber) {
  const std::string key = RegistryKey(RegistryHosts(target));
  const auto at = services.find({key, target.service});
  if (at == services.end()) return;
  at->second.subscribers.erase(subscriber);
  if (!at->second.subscribers.empty()) return;
  services.erase(at);
  if (HasRegistry() && key == RegistryKey(configured.hosts)) return;
  const bool in_use = std::any_of(services.begin(), services.end(), [&](const auto& other) {
    return other.first.first == key;
  });
  if (!in_use) registries.erase(key);
}

void Directory::Impl::RegisterSelf(std::vector<std::string> endpoints, std::string version) {
  const StatusOr<Registry*> registry = Open(RegistryKey(configured.hosts), configured.hosts);
  if (!registry.ok()) {
    return LogError("cannot register in the registry of MicroService.Target",
                    {{"error", registry.status()}});
  }
  Random random = Random::FromDevice();
  ServiceInstance self;
  self.id = NewUuid(random);
  self.name = configured.service;
  self.version = std::move(version);
  self.endpoints = std::move(endpoints);
  (*registry)->Register(std::move(self));
}

void Directory::Impl::DeregisterSelf(Duration timeout, std::function<void()> done) {
  const auto registry = registries.find(RegistryKey(configured.hosts));
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

 private:
  const SubscriberPtr subscriber_;
};

class LookedUpSubscription final : public Subscription {
 public:
  LookedUpSubscription(SubscriberPtr subscriber, std::function<void()> end)
      : subscriber_(std::move(subscriber)), end_(std::move(end)) {}
  ~LookedUpSubscription() override {
    subscriber_->ended = true;
    end_();
  }

 private:
  const SubscriberPtr subscriber_;
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

Directory::Directory(net::Loop& home, RegistryTarget configured, const EtcdTimes& times)
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
  if (target.kind == TargetKind::kDirect || target.kind == TargetKind::kDns) {
    Tell(subscriber, DirectList(target));
    return std::make_unique<DirectSubscription>(std::move(subscriber));
  }
  if (target.hosts.empty() && !impl_->HasRegistry()) return NoRegistry(text);
  // The directory may be gone by the time the home loop gets to it.
  const auto at_home = [&home = impl_->home, impl = std::weak_ptr<Impl>(impl_)](auto work) {
    home.Post([impl, work] {
      if (const auto self = impl.lock()) work(*self);
    });
  };
  at_home([target, subscriber](Impl& self) { self.Follow(target, subscriber); });
  return std::make_unique<LookedUpSubscription>(subscriber, [at_home, target, subscriber] {
    at_home([target, subscriber](Impl& self) { self.Unfollow(target, subscriber); });
  });
}

void Directory::RegisterSelf(std::vector<std::string> endpoints, std::string version) {
  if (!impl_->HasRegistry()) return;
  impl_->home.Post([impl = std::weak_ptr<Impl>(impl_),
                    endpoints = std::move(endpoints),
                    version = std::move(version)] {
    if (const auto self = impl.lock()) self->RegisterSelf(endpoints, version);
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
