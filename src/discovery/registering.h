#pragma once
// What every registry does alike: keeping this process registered. Private to this folder.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "discovery/registry.h"
#include "net/loop.h"

namespace troth {

// `Client` speaks to the registry, `Registration` keeps one instance registered through it until
// its Remove, and `Times` says how patiently.
template <typename Client, typename Registration, typename Times>
class RegisteringRegistry : public Registry {
 public:
  void Register(ServiceInstance instance) final {
    registration_ = std::make_unique<Registration>(loop_, *client_, times_, instance);
  }
  void Deregister(Duration timeout, std::function<void()> done) final {
    if (registration_ == nullptr) return loop_.Post(std::move(done));
    registration_->Remove(timeout, std::move(done));
  }
  bool registered() const final { return registration_ != nullptr && registration_->registered(); }
  std::string Describe() const final { return client_->Describe(); }

 protected:
  RegisteringRegistry(net::Loop& loop, std::unique_ptr<Client> client, const Times& times)
      : loop_(loop), times_(times), client_(std::move(client)) {}

  net::Loop& loop_;
  const Times times_;
  const std::unique_ptr<Client> client_;
  std::unique_ptr<Registration> registration_;  // null until Register
};

}  // namespace troth
