#include "discovery/etcd_registry.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "discovery/etcd_registration.h"
#include "discovery/etcd_watch.h"

namespace troth {
namespace {

class EtcdRegistry final : public Registry {
 public:
  EtcdRegistry(net::Loop& loop, EtcdOptions options, const EtcdTimes& times)
      : loop_(loop), times_(times), client_(EtcdClient::Make(loop, std::move(options))) {
    client_->OnConnected([this] { OnConnected(); });
  }
  ~EtcdRegistry() override { TROTH_CHECK(watches_.empty()); }

  void Register(ServiceInstance instance) override {
    registration_ = std::make_unique<EtcdRegistration>(loop_, *client_, times_, instance);
  }

  void Deregister(Duration timeout, std::function<void()> done) override {
    if (registration_ == nullptr) return loop_.Post(std::move(done));
    registration_->Remove(timeout, std::move(done));
  }

  std::unique_ptr<Watch> WatchService(std::string name,
                                      InstancesFn on_change,
                                      TroubleFn on_trouble) override {
    auto watch = std::make_unique<EtcdWatch>(loop_,
                                             *client_,
                                             times_,
                                             std::move(name),
                                             std::move(on_change),
                                             std::move(on_trouble),
                                             [this](EtcdWatch* gone) { watches_.erase(gone); });
    watches_.insert(watch.get());
    return watch;
  }

  std::string Describe() const override { return client_->Describe(); }
  bool registered() const override {
    return registration_ != nullptr && registration_->registered();
  }

 private:
  void OnConnected() {
    if (registration_ != nullptr) registration_->OnConnected();
    for (EtcdWatch* watch : watches_) watch->OnConnected();
  }

  net::Loop& loop_;
  const EtcdTimes times_;
  const std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdRegistration> registration_;
  absl::flat_hash_set<EtcdWatch*> watches_;
};

}  // namespace

std::unique_ptr<Registry> MakeEtcdRegistry(net::Loop& loop,
                                           EtcdOptions options,
                                           const EtcdTimes& times) {
  return std::make_unique<EtcdRegistry>(loop, std::move(options), times);
}

}  // namespace troth
