#include "discovery/consul_registry.h"

#include <utility>

#include "discovery/consul_registration.h"
#include "discovery/consul_watch.h"

namespace troth {
namespace {

class ConsulRegistry final : public Registry {
 public:
  ConsulRegistry(net::Loop& loop, ConsulOptions options, const ConsulTimes& times)
      : loop_(loop), times_(times), client_(loop, std::move(options)) {}

  void Register(ServiceInstance instance) override {
    registration_ = std::make_unique<ConsulRegistration>(loop_, client_, times_, instance);
  }

  void Deregister(Duration timeout, std::function<void()> done) override {
    if (registration_ == nullptr) return loop_.Post(std::move(done));
    registration_->Remove(timeout, std::move(done));
  }

  std::unique_ptr<Watch> WatchService(std::string name,
                                      InstancesFn on_change,
                                      TroubleFn on_trouble) override {
    return std::make_unique<ConsulWatch>(
        loop_, client_, times_, std::move(name), std::move(on_change), std::move(on_trouble));
  }

  std::string Describe() const override { return client_.Describe(); }
  bool registered() const override {
    return registration_ != nullptr && registration_->registered();
  }

 private:
  net::Loop& loop_;
  const ConsulTimes times_;
  ConsulClient client_;
  std::unique_ptr<ConsulRegistration> registration_;
};

}  // namespace

std::unique_ptr<Registry> MakeConsulRegistry(net::Loop& loop,
                                             ConsulOptions options,
                                             const ConsulTimes& times) {
  return std::make_unique<ConsulRegistry>(loop, std::move(options), times);
}

}  // namespace troth
