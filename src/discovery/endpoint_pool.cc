#include "discovery/endpoint_pool.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace troth {
namespace {

// How long calls on an endpoint that left the registry may still run.
constexpr Duration kDrainGrace = Seconds(30);
// Endpoints a call is tried on. More would only add load where there is trouble.
constexpr int kTriesMax = 3;
// Failures in a row that eject a connected endpoint. One alone may be the call's own fault.
constexpr int kFailuresToEject = 5;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

net::UnaryResult Failure(StatusCode code, std::string why) {
  net::UnaryResult result;
  result.status = {code, std::move(why)};
  return result;
}

}  // namespace

EndpointPool::EndpointPool(net::Loop& loop,
                           std::string target,
                           const GrpcTargetsOptions& options,
                           ChannelMaker make_channel,
                           std::function<void()> on_trouble)
    : loop_(loop),
      target_(std::move(target)),
      options_(options),
      make_channel_(std::move(make_channel)),
      on_trouble_(std::move(on_trouble)),
      balancer_(options.balance, Random::FromDevice()),
      empty_since_(loop.turn_time()) {}

EndpointPool::~EndpointPool() = default;

// --- Endpoints -----------------------------------------------------------------------------------

void EndpointPool::OnList(const EndpointList& list) {
  error_ = list.error;
  if (list.endpoints.empty()) return;  // the last good ones stay
  std::vector<SlotPtr> old = std::exchange(slots_, {});
  for (const Endpoint& endpoint : list.endpoints) {
    const auto same = std::find_if(old.begin(), old.end(), [&](const SlotPtr& slot) {
      return slot->endpoint.address == endpoint.address && slot->endpoint.secure == endpoint.secure;
    });
    if (same == old.end()) {
      slots_.push_back(MakeSlot(endpoint));
    } else {
      slots_.push_back(std::move(*same));
      old.erase(same);
    }
    slots_.back()->endpoint.weight = endpoint.weight;
    slots_.back()->balance.weight = endpoint.weight;
  }
  for (SlotPtr& gone : old) Drain(std::move(gone));
  OnChannelState();
}

EndpointPool::SlotPtr EndpointPool::MakeSlot(const Endpoint& endpoint) {
  net::ChannelOptions options = options_.channel;
  options.tls = endpoint.secure ? options_.tls : nullptr;
  auto slot =
      std::make_unique<Slot>(Slot{endpoint, make_channel_(endpoint.address, std::move(options))});
  slot->channel->OnStateChange(
      [weak = weak_from_this(), channel = slot->channel.get()](net::ChannelState state) {
        if (const auto self = weak.lock()) self->OnState(channel, state);
      });
  slot->channel->Connect();
  return slot;
}

void EndpointPool::OnState(const net::Channel* channel, net::ChannelState state) {
  OnChannelState();
  if (state == net::ChannelState::kIdle) Reconnect(channel);
  if (state == net::ChannelState::kBackoff) on_trouble_();
}

// A connection is always wanted: the next call should not wait for it.
void EndpointPool::Reconnect(const net::Channel* channel) {
  loop_.Post([weak = weak_from_this(), channel] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    for (const SlotPtr& slot : self->slots_) {
      if (slot->channel.get() == channel) slot->channel->Connect();
    }
  });
}

void EndpointPool::Drain(SlotPtr slot) {
  net::Channel* const channel = slot->channel.get();
  draining_.push_back(std::move(slot));
  channel->OnStateChange([weak = weak_from_this(), channel](net::ChannelState state) {
    const auto self = weak.lock();
    if (self == nullptr || state != net::ChannelState::kClosed) return;
    self->loop_.Post([weak, channel] {
      if (const auto alive = weak.lock()) alive->Drained(channel);
    });
  });
  channel->Close(kDrainGrace);
}

void EndpointPool::Drained(const net::Channel* channel) {
  std::erase_if(draining_, [&](const SlotPtr& slot) { return slot->channel.get() == channel; });
}

void EndpointPool::OnChannelState() {
  ready_.clear();
  for (const SlotPtr& slot : slots_) {
    if (slot->channel->state() == net::ChannelState::kReady) ready_.push_back(slot.get());
  }
  if (!waiting_.empty()) {
    // Not here: the channel is in the middle of changing.
    loop_.Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->WakeWaiting();
    });
  }
}

bool EndpointPool::MayConnect() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const SlotPtr& slot) {
    const net::ChannelState state = slot->channel->state();
    return state == net::ChannelState::kIdle || state == net::ChannelState::kConnecting;
  });
}

// What a call's end says about its endpoint. A service that answers at all is well, whatever it
// answers.
void EndpointPool::Judge(const Slot* slot, StatusCode code) {
  const auto found = std::find_if(
      slots_.begin(), slots_.end(), [&](const SlotPtr& known) { return known.get() == slot; });
  if (found == slots_.end()) return;
  Ejection& ejection = (*found)->balance.ejection;
  const bool failed = code == StatusCode::kUnavailable || code == StatusCode::kDeadlineExceeded;
  failed ? ejection.OnFailure(loop_.turn_time(), kFailuresToEject) : ejection.OnSuccess();
}

// --- Calls ---------------------------------------------------------------------------------------

void EndpointPool::Unary(const net::UnaryCall& call, net::UnaryDone done) {
  if (slots_.size() == 1) {
    slots_.front()->channel->Unary(call, std::move(done));
    return;
  }
  Go(NewAttempt(call, std::move(done)));
}

EndpointPool::Attempt* EndpointPool::NewAttempt(const net::UnaryCall& call, net::UnaryDone done) {
  if (free_.empty()) {
    attempts_.push_back(std::make_unique<Attempt>(loop_));
    free_.push_back(attempts_.back().get());
  }
  Attempt* const attempt = free_.back();
  free_.pop_back();
  attempt->call.Save(call);
  attempt->done = std::move(done);
  attempt->deadline = call.timeout > Duration::zero() ? loop_.turn_time() + call.timeout : kNever;
  attempt->tries = 0;
  attempt->last = nullptr;
  return attempt;
}

void EndpointPool::Go(Attempt* attempt) {
  Slot* const slot = balancer_.Pick(ready_, attempt->last, loop_.turn_time());
  if (slot != nullptr) return Send(attempt, *slot);
  if (slots_.empty() || MayConnect() || attempt->call.wait_for_ready()) return Wait(attempt);
  Fail(attempt, StatusCode::kUnavailable, Trouble());
}

void EndpointPool::Send(Attempt* attempt, Slot& slot) {
  ++attempt->tries;
  attempt->last = &slot;
  static thread_local std::vector<net::MetadataView> metadata;
  const Duration timeout = attempt->deadline == kNever ? Duration::zero() : TimeLeft(*attempt);
  slot.channel->Unary(attempt->call.View(timeout, metadata),
                      [self = shared_from_this(), attempt](net::UnaryResult result) {
                        self->OnResult(attempt, std::move(result));
                      });
}

void EndpointPool::OnResult(Attempt* attempt, net::UnaryResult result) {
  Judge(attempt->last, result.status.code);
  const bool may_try_again = !closed_ && result.status.code == StatusCode::kUnavailable &&
                             !result.maybe_sent && attempt->tries < kTriesMax &&
                             TimeLeft(*attempt) > Duration::zero();
  if (!may_try_again || (ready_.empty() && !MayConnect())) {
    return Finish(attempt, std::move(result));
  }
  Go(attempt);
}

void EndpointPool::Wait(Attempt* attempt) {
  if (waiting_.size() >= options_.waiting_calls_max) {
    return Fail(attempt,
                StatusCode::kUnavailable,
                Cat("more than ", options_.waiting_calls_max, " calls wait for ", target_));
  }
  Duration patience = TimeLeft(*attempt);
  StatusCode code = StatusCode::kDeadlineExceeded;
  if (slots_.empty()) {
    const auto been_empty = std::chrono::duration_cast<Duration>(loop_.turn_time() - empty_since_);
    const Duration until_fail_fast = options_.fail_fast_after - been_empty;
    if (until_fail_fast <= Duration::zero()) {
      return Fail(attempt, StatusCode::kUnavailable, Trouble());
    }
    if (until_fail_fast < patience) {
      patience = until_fail_fast;
      code = StatusCode::kUnavailable;
    }
  }
  attempt->waiting_at = waiting_.insert(waiting_.end(), attempt);
  attempt->timer.set_callback([this, attempt, code] {
    StopWaiting(attempt);
    Fail(attempt, code, Trouble());
  });
  attempt->timer.ArmAfter(patience);
}

void EndpointPool::StopWaiting(Attempt* attempt) {
  attempt->timer.Cancel();
  waiting_.erase(attempt->waiting_at);
}

// Something changed for those that wait: each goes, fails, or waits on.
void EndpointPool::WakeWaiting() {
  if (slots_.empty() || (ready_.empty() && MayConnect())) return;
  const std::vector<Attempt*> woken(waiting_.begin(), waiting_.end());
  for (Attempt* attempt : woken) {
    StopWaiting(attempt);
    Go(attempt);
  }
}

// Later, because nothing may be answered inside the call that asked.
void EndpointPool::Fail(Attempt* attempt, StatusCode code, std::string why) {
  loop_.Post([self = shared_from_this(), attempt, code, why = std::move(why)]() mutable {
    self->Finish(attempt, Failure(code, std::move(why)));
  });
}

void EndpointPool::Finish(Attempt* attempt, net::UnaryResult result) {
  const net::UnaryDone done = std::exchange(attempt->done, nullptr);
  free_.push_back(attempt);
  done(std::move(result));
}

Duration EndpointPool::TimeLeft(const Attempt& attempt) const {
  if (attempt.deadline == kNever) return Duration::max();
  return std::chrono::duration_cast<Duration>(attempt.deadline - loop_.turn_time());
}

std::string EndpointPool::Trouble() const {
  if (slots_.empty()) {
    return Cat("no endpoint of ", target_, error_.empty() ? " is known yet" : ": ", error_);
  }
  for (const SlotPtr& slot : slots_) {
    if (slot->channel->last_error().empty()) continue;
    return Cat("no endpoint of ",
               target_,
               " is connected; ",
               slot->endpoint.address,
               ": ",
               slot->channel->last_error());
  }
  return Cat("no endpoint of ", target_, " is connected");
}

// --- End, and for people -------------------------------------------------------------------------

void EndpointPool::Shutdown() {
  closed_ = true;
  while (!waiting_.empty()) {
    Attempt* const attempt = waiting_.front();
    StopWaiting(attempt);
    Finish(attempt, Failure(StatusCode::kCancelled, Cat(target_, " is no longer called")));
  }
  for (std::vector<SlotPtr>* slots : {&slots_, &draining_}) {
    for (const SlotPtr& slot : *slots) {
      slot->channel->OnStateChange(nullptr);
      slot->channel->Close(Duration::zero());
    }
  }
  ready_.clear();
  slots_.clear();
  draining_.clear();
}

bool EndpointPool::idle() const {
  return free_.size() == attempts_.size() &&
         std::all_of(slots_.begin(), slots_.end(), [](const SlotPtr& slot) {
           return slot->calls_in_flight() == 0;
         });
}

std::vector<GrpcTargets::EndpointState> EndpointPool::Describe() const {
  std::vector<GrpcTargets::EndpointState> states;
  for (const SlotPtr& slot : slots_) {
    states.push_back({.endpoint = slot->endpoint,
                      .state = slot->channel->state(),
                      .ejected = slot->balance.ejection.ejected(),
                      .calls_in_flight = slot->calls_in_flight(),
                      .last_error = slot->channel->last_error()});
  }
  return states;
}

}  // namespace troth
