#include "discovery/etcd_registry.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "discovery/etcd_registration.h"
#include "discovery/etcd_watch.h"
#include "discovery/registering.h"

namespace troth {
namespace {

class EtcdRegistry final : public RegisteringRegistry<EtcdClient, EtcdRegistration, EtcdTimes> {
 public:
  EtcdRegistry(net::Loop& loop, EtcdOptions options, const EtcdTimes& times)
      : RegisteringRegistry(loop, EtcdClient::Make(loop, std::move(options)), times) {
    client_->OnConnected([this] { OnConnected(); });
  }
  ~EtcdRegistry() override { TROTH_CHECK(watches_.empty()); }

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

 private:
  void OnConnected() {
    if (registration_ != nullptr) registration_->OnConnected();
    for (EtcdWatch* watch : watches_) watch->OnConnected();
  }

  absl::flat_hash_set<EtcdWatch*> watches_;
};

}  // namespace

std::unique_ptr<Registry> MakeEtcdRegistry(net::Loop& loop,
                                           EtcdOptions options,
                                           const EtcdTimes& times) {
  return std::make_unique<EtcdRegistry>(loop, std::move(options), times);
}

}  // namespace troth
