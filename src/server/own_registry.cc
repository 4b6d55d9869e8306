#include "server/own_registry.h"

#include <cstdlib>
#include <string>

#include "base/text.h"

namespace troth {
namespace {

constexpr std::string_view kDefaultDriver = "default";
constexpr std::string_view kKratosDriver = "dtm-driver-kratos";

}  // namespace

StatusOr<RegistryTarget> OwnRegistry(const MicroServiceConfig& config) {
  if (config.driver == kDefaultDriver) return RegistryTarget{};
  if (config.driver != kKratosDriver) {
    return InvalidArgument(Cat("no dtm driver with name: ",
                               config.driver,
                               " has been registered; MicroService.Driver must be ",
                               kDefaultDriver,
                               " or ",
                               kKratosDriver));
  }
  if (config.target.empty()) return RegistryTarget{};
  return ParseRegistryTarget(config.target, [](std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return std::string(value == nullptr ? "" : value);
  });
}

}  // namespace troth
