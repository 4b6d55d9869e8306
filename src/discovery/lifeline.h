#pragma once
// Guards callbacks against their owner's end. For one thread.

#include <memory>
#include <utility>

namespace troth {

// A member of whatever hands out callbacks to itself. Callbacks made by Guard do nothing once this
// is destroyed or cut.
class Lifeline {
 public:
  template <typename Fn>
  auto Guard(Fn fn) const {
    return [alive = std::weak_ptr<char>(alive_), fn = std::move(fn)](auto&&... args) mutable {
      if (!alive.expired()) fn(std::forward<decltype(args)>(args)...);
    };
  }
  // Lets go of every callback made so far; later ones work.
  void Cut() { alive_ = std::make_shared<char>(); }

 private:
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace troth
