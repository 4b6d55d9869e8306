#include "discovery/consul_registry.h"

#include <utility>

#include "discovery/consul_registration.h"
#include "discovery/consul_watch.h"
#include "discovery/registering.h"

namespace troth {
namespace {

class ConsulRegistry final
    : public RegisteringRegistry<ConsulClient, ConsulRegistration, ConsulTimes> {
 public:
  ConsulRegistry(net::Loop& loop, ConsulOptions options, const ConsulTimes& times)
      : RegisteringRegistry(loop, std::make_unique<ConsulClient>(loop, std::move(options)), times) {
  }

  std::unique_ptr<Watch> WatchService(std::string name,
                                      InstancesFn on_change,
                                      TroubleFn on_trouble) override {
    return std::make_unique<ConsulWatch>(
        loop_, *client_, times_, std::move(name), std::move(on_change), std::move(on_trouble));
  }
};

}  // namespace

std::unique_ptr<Registry> MakeConsulRegistry(net::Loop& loop,
                                             ConsulOptions options,
                                             const ConsulTimes& times) {
  return std::make_unique<ConsulRegistry>(loop, std::move(options), times);
}

}  // namespace troth
