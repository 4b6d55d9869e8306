#include "discovery/explain.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "discovery/address.h"
#include "net/grpc_client.h"

namespace troth {
namespace {

// One explanation on its way: asks for both kinds of endpoints, then for the registry's own view,
// then tries the gRPC endpoints. Keeps itself until it is done.
class Explainer : public std::enable_shared_from_this<Explainer> {
 public:
  Explainer(Directory& directory, net::Loop& loop, std::function<void(Explanation)> done)
      : directory_(directory), loop_(loop), done_(std::move(done)), deadline_(loop) {}

  void Start(const std::string& target, Duration patience) {
    explanation_.target = target;
    deadline_.set_callback([self = shared_from_this()] { self->OnDeadline(); });
    deadline_.ArmAfter(patience);
    Follow("grpc", grpc_);
    Follow("http", http_);
  }

 private:
  struct Followed {
    std::unique_ptr<Subscription> subscription;
    EndpointList list;
  };

  void Follow(std::string_view scheme, Followed& followed) {
    auto subscription =
        directory_.Subscribe(explanation_.target,
                             scheme,
                             loop_,
                             [this, weak = weak_from_this(), &followed](const EndpointList& list) {
                               const auto self = weak.lock();
                               if (self == nullptr) return;
                               followed.list = list;
                               if (grpc_.list.resolved && http_.list.resolved) Inspect();
                             });
    if (subscription.ok()) {
      followed.subscription = *std::move(subscription);
    } else {
      followed.list = {
          .resolved = true, .endpoints = {}, .error = std::string(Message(subscription.status()))};
      loop_.Post([self = shared_from_this()] { self->Inspect(); });
    }
  }

  void Inspect() {
    if (std::exchange(inspected_, true)) return;
    directory_.Inspect(
        explanation_.target, loop_, [self = shared_from_this()](const ServiceView& view) {
          self->explanation_.registry = view.registry;
          self->explanation_.instances = view.instances;
          self->Probe();
        });
  }

  void Probe() {
    explanation_.http = http_.list.endpoints;
    if (grpc_.list.endpoints.empty() && http_.list.endpoints.empty()) {
      explanation_.error = grpc_.list.error;
    }
    for (const Endpoint& endpoint : grpc_.list.endpoints) {
      explanation_.grpc.push_back({.endpoint = endpoint, .connected = false, .trouble = {}});
      channels_.push_back(net::Channel::Make(loop_, endpoint.address, {}));
      channels_.back()->OnStateChange([weak = weak_from_this()](net::ChannelState) {
        if (const auto self = weak.lock()) self->LookAgain();
      });
      channels_.back()->Connect();
    }
    LookAgain();
  }

  // Not at once: a channel may be in the middle of changing.
  void LookAgain() {
    loop_.Post([self = shared_from_this()] {
      const bool settled =
          std::all_of(self->channels_.begin(), self->channels_.end(), [](const auto& channel) {
            return channel->state() != net::ChannelState::kConnecting &&
                   channel->state() != net::ChannelState::kIdle;
          });
      if (settled) self->Finish();
    });
  }

  void OnDeadline() { inspected_ ? Finish() : Inspect(); }

  void Finish() {
    if (done_ == nullptr) return;
    for (size_t i = 0; i < channels_.size(); ++i) {
      Explanation::Choice& choice = explanation_.grpc[i];
      choice.connected = channels_[i]->state() == net::ChannelState::kReady;
      if (!choice.connected) choice.trouble = channels_[i]->last_error();
      if (!choice.connected && choice.trouble.empty()) choice.trouble = "no connection in time";
      channels_[i]->OnStateChange(nullptr);
      channels_[i]->Close(Duration::zero());
    }
    grpc_.subscription.reset();
    http_.subscription.reset();
    deadline_.Cancel();
    std::exchange(done_, nullptr)(std::move(explanation_));
    // The timer's callback holds this; it must not be what is let go of while it runs.
    loop_.Post([self = shared_from_this()] { self->deadline_.set_callback(nullptr); });
  }

  Directory& directory_;
  net::Loop& loop_;
  std::function<void(Explanation)> done_;
  net::Timer deadline_;
  Explanation explanation_;
  Followed grpc_;
  Followed http_;
  bool inspected_ = false;
  std::vector<std::shared_ptr<net::Channel>> channels_;
};

}  // namespace

StatusOr<std::string> TargetOf(std::string_view text) {
  std::string target;
  if (text.find("://") != text.npos) {
    const StatusOr<GrpcAddress> grpc = ParseGrpcUrl(text);
    const StatusOr<HttpAddress> service = ParseHttpServiceUrl(text);
    if (text.starts_with("http://") || text.starts_with("https://")) {
      return InvalidArgument(
          Cat("'", ToValidUtf8(text), "' is called as it is; nothing is looked up"));
    }
    const bool direct = text.starts_with("grpc://") || text.starts_with("grpcs://");
    if (direct && grpc.ok()) return grpc->target;
    if (!direct && service.ok()) return service->target;
    target = text;
  } else if (text.find_first_of("/:") == text.npos) {
    target = Cat("discovery:///", text);
  } else {
    target = text.substr(0, text.find('/'));
  }
  const StatusOr<Target> parsed = ParseTarget(target);
  if (!parsed.ok()) return parsed.status();
  return target;
}

void Explain(Directory& directory,
             net::Loop& loop,
             const std::string& target,
             Duration patience,
             std::function<void(Explanation)> done) {
  std::make_shared<Explainer>(directory, loop, std::move(done))->Start(target, patience);
}

}  // namespace troth
