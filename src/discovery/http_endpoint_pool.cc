#include "discovery/http_endpoint_pool.h"

#include <algorithm>

#include "base/text.h"

namespace troth {
namespace {

// An endpoint that cannot be reached fails every request, unlike one that answers badly.
constexpr int kUnreachableToEject = 1;
constexpr int kTimeoutsToEject = 5;

}  // namespace

HttpEndpointPool::HttpEndpointPool(net::Loop& loop,
                                   net::HttpClient& client,
                                   std::string target,
                                   const HttpTargetsOptions& options,
                                   std::function<void()> on_trouble)
    : loop_(loop),
      client_(client),
      target_(std::move(target)),
      options_(options),
      on_trouble_(std::move(on_trouble)),
      balancer_(options.balance, Random::FromDevice()) {}

void HttpEndpointPool::OnList(const EndpointList& list) {
  error_ = list.error;
  if (list.endpoints.empty()) return;  // the last good ones stay
  const std::vector<SlotPtr> old = std::exchange(slots_, {});
  choice_.clear();
  for (const Endpoint& endpoint : list.endpoints) {
    const auto same = std::find_if(old.begin(), old.end(), [&](const SlotPtr& slot) {
      return slot->endpoint.address == endpoint.address && slot->endpoint.secure == endpoint.secure;
    });
    slots_.push_back(same == old.end() ? std::make_shared<Slot>(Slot{endpoint}) : *same);
    slots_.back()->balance.weight = endpoint.weight;
    choice_.push_back(slots_.back().get());
  }
  StartWaiting();
}

void HttpEndpointPool::Send(const net::HttpClientRequest& request,
                            std::string path,
                            net::HttpDone done) {
  if (slots_.empty()) return Wait(request, std::move(path), std::move(done));
  Start(request, path, std::move(done));
}

void HttpEndpointPool::Start(const net::HttpClientRequest& request,
                             const std::string& path,
                             net::HttpDone done) {
  Slot* const picked = balancer_.Pick(choice_, /*avoid=*/nullptr, loop_.turn_time());
  const SlotPtr slot = *std::find_if(
      slots_.begin(), slots_.end(), [&](const SlotPtr& known) { return known.get() == picked; });
  const std::string_view scheme = slot->endpoint.secure ? "https://" : "http://";
  const std::string url = Cat(scheme, slot->endpoint.address, path);
  net::HttpClientRequest sent = request;
  sent.url = url;
  ++slot->calls;
  ++open_;
  client_.Send(sent,
               [self = shared_from_this(), slot, done = std::move(done)](
                   StatusOr<net::HttpClientResponse> response) {
                 --slot->calls;
                 --self->open_;
                 if (!self->closed_) self->Judge(*slot, response);
                 done(std::move(response));
               });
}

void HttpEndpointPool::Judge(Slot& slot, const StatusOr<net::HttpClientResponse>& response) {
  Ejection& ejection = slot.balance.ejection;
  const auto now = loop_.turn_time();
  if (response.status().code() == StatusCode::kUnavailable) {
    ejection.OnFailure(now, kUnreachableToEject);
    on_trouble_();
  } else if (response.status().code() == StatusCode::kDeadlineExceeded) {
    ejection.OnFailure(now, kTimeoutsToEject);
  } else {
    ejection.OnSuccess();
  }
}

void HttpEndpointPool::Wait(const net::HttpClientRequest& request,
                            std::string path,
                            net::HttpDone done) {
  if (waiting_.size() >= options_.waiting_requests_max) {
    const std::string why =
        Cat("more than ", options_.waiting_requests_max, " requests wait for ", target_);
    return loop_.Post([done = std::move(done), why] { done(Unavailable(why)); });
  }
  const auto at = waiting_.emplace(waiting_.end(), loop_);
  at->method = request.method;
  at->path = std::move(path);
  at->body = request.body;
  at->headers.assign(request.headers.begin(), request.headers.end());
  at->deadline = loop_.turn_time() + request.timeout;
  at->done = std::move(done);
  at->timer.set_callback([this, at] { GiveUp(at); });
  at->timer.ArmAfter(request.timeout);
}

void HttpEndpointPool::GiveUp(std::list<Waiting>::iterator waiting) {
  const net::HttpDone done = std::move(waiting->done);
  waiting_.erase(waiting);
  done(DeadlineExceeded(
      Cat("no endpoint of ", target_, error_.empty() ? " is known yet" : ": ", error_)));
}

void HttpEndpointPool::StartWaiting() {
  std::list<Waiting> woken;
  woken.swap(waiting_);
  for (Waiting& waiting : woken) {
    waiting.timer.Cancel();
    const std::vector<std::pair<std::string_view, std::string_view>> headers(
        waiting.headers.begin(), waiting.headers.end());
    const auto left = std::chrono::duration_cast<Duration>(waiting.deadline - loop_.turn_time());
    Start({.method = waiting.method,
           .url = {},
           .headers = headers,
           .body = waiting.body,
           .timeout = std::max(left, net::kTimerResolution),
           .connect_to = {}},
          waiting.path,
          std::move(waiting.done));
  }
}

void HttpEndpointPool::Shutdown() {
  closed_ = true;
  std::list<Waiting> ended;
  ended.swap(waiting_);
  for (Waiting& waiting : ended) {
    waiting.timer.Cancel();
    waiting.done(Cancelled(Cat(target_, " is no longer called")));
  }
}

}  // namespace troth
