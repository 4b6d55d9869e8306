#include "api/api_context.h"

#include <utility>

#include "base/random.h"

namespace troth {

std::string NewGid() {
  // One generator a thread, so that no lock is needed.
  static thread_local Random random = Random::FromDevice();
  return NewGid(random);
}

void ChangeTopics(ApiContext& context,
                  TopicChange change,
                  net::Loop& loop,
                  std::function<void(Status)> done) {
  const bool accepted =
      context.manager.RunOnStore([&context, change = std::move(change), &loop, done](Store& store) {
        Status status = change(context.topics, store, context.clock.Now());
        loop.Post([done, status = std::move(status)] { done(status); });
      });
  if (!accepted) {
    loop.Post([done] { done(ResourceExhausted("too much is waiting for the store; try again")); });
  }
}

}  // namespace troth
