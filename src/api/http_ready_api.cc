#include "api/http_ready_api.h"

#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "wire/json_writer.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;

void RespondReady(net::HttpCall& call) {
  net::HttpResponse response;
  response.body = R"({"ready":true})";
  call.Respond(std::move(response));
}

void RespondNotReady(net::HttpCall& call, std::string_view reason) {
  JsonWriter json;
  json.BeginObject().Key("ready").Bool(false).Field("reason", reason).EndObject();
  net::HttpResponse response;
  response.status = 503;
  response.headers.emplace_back("Retry-After", "1");
  response.body = json.Take();
  call.Respond(std::move(response));
}

// One question: asks every loop and the store, and answers when all did, or in time without them.
// Lives on the loop of its call. Held by the questions: each comes back there by Post, and one that
// is never answered goes with the queue it waits in.
class ReadyCheck : public std::enable_shared_from_this<ReadyCheck> {
 public:
  ReadyCheck(CallPtr call, size_t loops)
      : call_(std::move(call)), silent_(loops, true), waiting_(loops + 1), timer_(call_->loop()) {}

  void Ask(ApiContext& context, const std::vector<net::Loop*>& loops) {
    timer_.set_callback([this] { OnTimeout(); });
    timer_.ArmAfter(kReadyTimeout);
    net::Loop& home = call_->loop();
    for (size_t i = 0; i < loops.size(); ++i) {
      loops[i]->Post([self = shared_from_this(), &home, i]() mutable {
        home.Post([self = std::move(self), i] { self->OnLoop(i); });
      });
    }
    const bool asked =
        context.manager.RunOnStore([self = shared_from_this(), &home](Store& store) mutable {
          home.Post([self = std::move(self), health = store.Health()] { self->OnStore(health); });
        });
    if (!asked) End("too much is waiting for the store");
  }

 private:
  void OnLoop(size_t index) {
    silent_[index] = false;
    OneAnswered();
  }

  void OnStore(const Status& health) {
    store_silent_ = false;
    if (!health.ok()) return End(Cat("the store cannot save: ", Message(health)));
    OneAnswered();
  }

  void OneAnswered() {
    if (--waiting_ == 0) End("");
  }

  void OnTimeout() {
    if (store_silent_) return End("the store does not answer");
    for (size_t i = 0; i < silent_.size(); ++i) {
      if (silent_[i]) return End(Cat("event loop ", i, " does not answer"));
    }
  }

  // Empty: ready. The first end counts.
  void End(std::string_view reason) {
    if (call_ == nullptr) return;
    const CallPtr call = std::exchange(call_, nullptr);
    timer_.Cancel();
    reason.empty() ? RespondReady(*call) : RespondNotReady(*call, reason);
  }

  CallPtr call_;
  std::vector<bool> silent_;  // by loop
  bool store_silent_ = true;
  size_t waiting_;
  net::Timer timer_;
};

}  // namespace

void RegisterReadyApi(ApiContext& context,
                      std::vector<net::Loop*> loops,
                      const std::atomic<bool>& draining,
                      HttpRouter& router) {
  router.Add("GET",
             "/api/ready",
             [&context, &draining, loops = std::move(loops)](CallPtr call, const std::string&) {
               if (draining.load()) return RespondNotReady(*call, "the server is draining");
               const size_t count = loops.size();
               std::make_shared<ReadyCheck>(std::move(call), count)->Ask(context, loops);
             });
}

}  // namespace troth
