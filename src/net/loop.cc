#include "net/loop.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/timer_wheel.h"

namespace troth::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// Completions handled in one turn at most, so that a socket that is always ready cannot hold back
// the turn's end.
constexpr int kCompletionsPerTurnMax = 1024;
// The longest wait without a timer; posted work ends it at once.
constexpr Duration kIdleWait = std::chrono::seconds(60);

thread_local const Loop* running_loop = nullptr;

}  // namespace

struct Loop::Impl {
  TimerWheel wheel;
  const steady_clock::time_point start = steady_clock::now();
  steady_clock::time_point turn_time = start;
  bool turn_time_is_old = false;  // set before waiting: the next reader looks at the clock

  std::vector<TurnEndHook*> hooks;          // asked for in this turn
  std::vector<TurnEndHook*> running_hooks;  // being called
  std::vector<std::function<void()>> running_work;

  std::mutex mutex;
  std::vector<std::function<void()>> posted;  // guarded by mutex
  bool stop = false;                          // guarded by mutex
  bool wake_is_due = false;                   // guarded by mutex: the loop waits or is about to

  // Last, so that handlers it destroys may still cancel their timers and hooks.
  asio::io_context io{1};

  steady_clock::time_point Now() {
    if (turn_time_is_old) {
      turn_time = steady_clock::now();
      turn_time_is_old = false;
    }
    return turn_time;
  }
  uint64_t TickAt(steady_clock::time_point time) const {
    return static_cast<uint64_t>((time - start) / kTimerResolution);
  }
  steady_clock::time_point WakeTime();

  bool RunPosted();
  void RunCompletions();
  void RunHooks();
  bool PrepareToWait();
  void Wake(std::unique_lock<std::mutex> lock);
};

steady_clock::time_point Loop::Impl::WakeTime() {
  const std::optional<uint64_t> tick = wheel.NextTick();
  if (!tick) return steady_clock::now() + kIdleWait;
  return start + *tick * kTimerResolution;
}

// Returns true when the loop was told to stop and nothing posted is left.
bool Loop::Impl::RunPosted() {
  bool stopping;
  {
    std::lock_guard lock(mutex);
    running_work.swap(posted);
    stopping = stop;
    wake_is_due = false;
  }
  for (std::function<void()>& work : running_work) std::exchange(work, nullptr)();
  const bool ran_nothing = running_work.empty();
  running_work.clear();
  return stopping && ran_nothing;
}

void Loop::Impl::RunCompletions() {
  for (int i = 0; i < kCompletionsPerTurnMax && io.poll_one() > 0; ++i) {
  }
}

void Loop::Impl::RunHooks() {
  running_hooks.swap(hooks);
  for (size_t i = 0; i < running_hooks.size(); ++i) {
    TurnEndHook* hook = std::exchange(running_hooks[i], nullptr);
    if (hook == nullptr) continue;  // destroyed after it was asked for
    hook->queued_on_ = nullptr;
    hook->OnTurnEnd();
  }
  running_hooks.clear();
}

// False when there is more to do at once.
bool Loop::Impl::PrepareToWait() {
  if (!hooks.empty()) return false;
  std::lock_guard lock(mutex);
  if (!posted.empty() || stop) return false;
  wake_is_due = true;
  return true;
}

// One wake for however much is posted before the loop looks.
void Loop::Impl::Wake(std::unique_lock<std::mutex> lock) {
  const bool waits = std::exchange(wake_is_due, false);
  lock.unlock();
  if (waits) asio::post(io, [] {});
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {}

Loop::~Loop() {
  // Work that never ran may own things that use the loop: let go of it while the loop is whole.
  std::vector<std::function<void()>> dropped;
  {
    std::lock_guard lock(impl_->mutex);
    dropped.swap(impl_->posted);
  }
}

void Loop::Run() {
  TROTH_CHECK(running_loop == nullptr);
  running_loop = this;
  const auto keep_running = asio::make_work_guard(impl_->io);
  while (true) {
    impl_->turn_time_is_old = true;
    if (impl_->RunPosted()) break;
    impl_->RunCompletions();
    impl_->wheel.Advance(impl_->TickAt(impl_->Now()));
    impl_->RunHooks();
    if (!impl_->PrepareToWait()) continue;
    impl_->turn_time_is_old = true;
    impl_->io.run_one_until(impl_->WakeTime());
  }
  running_loop = nullptr;
}

void Loop::Stop() {
  std::unique_lock lock(impl_->mutex);
  impl_->stop = true;
  impl_->Wake(std::move(lock));
}

void Loop::Post(std::function<void()> work) {
  std::unique_lock lock(impl_->mutex);
  impl_->posted.push_back(std::move(work));
  impl_->Wake(std::move(lock));
}

void Loop::AtTurnEnd(TurnEndHook& hook) {
  if (hook.queued_on_ != nullptr) return;
  hook.queued_on_ = this;
  hook.queue_index_ = impl_->hooks.size();
  impl_->hooks.push_back(&hook);
}

bool Loop::OnLoopThread() const { return running_loop == this; }

asio::io_context& Loop::io() { return impl_->io; }

steady_clock::time_point Loop::turn_time() const { return impl_->Now(); }

TurnEndHook::~TurnEndHook() {
  if (queued_on_ == nullptr) return;
  auto& queued = queued_on_->impl_->hooks;
  const bool is_for_next_turn = queue_index_ < queued.size() && queued[queue_index_] == this;
  auto& queue = is_for_next_turn ? queued : queued_on_->impl_->running_hooks;
  queue[queue_index_] = nullptr;
}

Timer::Timer(Loop& loop, std::function<void()> on_fire)
    : loop_(&loop), on_fire_(std::move(on_fire)) {}

Timer::~Timer() { Cancel(); }

void Timer::ArmAfter(Duration delay) {
  Loop::Impl& loop = *loop_->impl_;
  // Rounded up to the next tick: never early. A year is for ever, and adding it cannot overflow.
  const Duration bounded =
      std::clamp(delay, Duration::zero(), Duration(std::chrono::hours(24 * 365)));
  const auto since_start = loop.Now() + bounded - loop.start;
  loop.wheel.Arm(
      *this,
      static_cast<uint64_t>((since_start + kTimerResolution - std::chrono::nanoseconds(1)) /
                            kTimerResolution));
}

void Timer::Cancel() { TimerWheel::Unlink(*this); }

}  // namespace troth::net
