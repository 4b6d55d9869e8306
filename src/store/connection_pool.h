#pragma once
// The connections of one SQL store: opened when needed, used again, bounded in number and in age.
// While the server cannot be reached, takers are told so at once, and one of them tries again now
// and then. Thread-safe.
//
// A Connection says whether it is usable() and when it was opened_at().

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/text.h"
#include "base/time.h"

namespace troth {

struct ConnectionPoolOptions {
  std::string server;   // "MySQL", for messages
  size_t open_max = 0;  // Store.MaxOpenConns; 0: no bound
  size_t idle_max = 0;  // Store.MaxIdleConns; 0: none are kept
  Duration age_max{};   // Store.ConnMaxLifeTime; 0: as long as it works
  // How long a taker waits while all connections are in use.
  Duration wait_max = Seconds(5);
  // Pause after a connection that could not be opened; doubles up to the longest.
  Duration retry_pause_min = std::chrono::milliseconds(50);
  Duration retry_pause_max = Seconds(1);
};

template <typename Connection>
class ConnectionPool {
 public:
  using ConnectionPtr = std::unique_ptr<Connection>;
  using Open = std::function<StatusOr<ConnectionPtr>()>;

  // A connection in use; it goes back at the end, or is closed when it is of no use any more.
  class Lease {
   public:
    Lease(ConnectionPool& pool, ConnectionPtr connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    ~Lease() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_));
    }
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    ConnectionPool* pool_;
    ConnectionPtr connection_;
  };

  ConnectionPool(ConnectionPoolOptions options, Open open)
      : options_(std::move(options)), open_(std::move(open)) {}

  // ResourceExhausted when all stay in use for too long; else what `open` says, or said a moment
  // ago. A connection that the server has closed meanwhile shows when it is used.
  StatusOr<Lease> Take();
  // Closes those that idle: the server was restarted, they are likely dead too.
  void CloseIdle();

 private:
  void Return(ConnectionPtr connection);
  // A young idle connection, or nullptr. Those too old are moved to `closed`.
  ConnectionPtr TakeIdle(std::vector<ConnectionPtr>& closed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TooOld(const Connection& connection) const;
  void OnOpened(const Status& status);

  const ConnectionPoolOptions options_;
  const Open open_;
  absl::Mutex mutex_;
  std::vector<ConnectionPtr> idle_ ABSL_GUARDED_BY(mutex_);
  size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  Status last_open_ ABSL_GUARDED_BY(mutex_);
  Duration retry_pause_ ABSL_GUARDED_BY(mutex_){};
  TimePoint retry_at_ ABSL_GUARDED_BY(mutex_){};
};

template <typename Connection>
auto ConnectionPool<Connection>::Take() -> StatusOr<Lease> {
  std::vector<ConnectionPtr> closed;  // outside of the lock: closing talks to the server
  {
    absl::MutexLock lock(&mutex_);
    const auto free = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return options_.open_max == 0 || in_use_ < options_.open_max;
    };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&free), absl::FromChrono(options_.wait_max))) {
      return ResourceExhausted(Cat("all ",
                                   options_.open_max,
                                   " connections to ",
                                   options_.server,
                                   " are in use; Store.MaxOpenConns bounds them"));
    }
    if (ConnectionPtr connection = TakeIdle(closed)) {
      ++in_use_;
      return Lease(*this, std::move(connection));
    }
    if (!last_open_.ok() && SystemClock().Now() < retry_at_) return last_open_;
    ++in_use_;
  }
  StatusOr<ConnectionPtr> opened = open_();
  OnOpened(opened.status());
  if (!opened.ok()) return opened.status();
  return Lease(*this, *std::move(opened));
}

template <typename Connection>
void ConnectionPool<Connection>::OnOpened(const Status& status) {
  absl::MutexLock lock(&mutex_);
  last_open_ = status;
  if (status.ok()) {
    retry_pause_ = Duration(0);
    return;
  }
  --in_use_;
  retry_pause_ = std::clamp(2 * retry_pause_, options_.retry_pause_min, options_.retry_pause_max);
  retry_at_ = SystemClock().Now() + retry_pause_;
}

template <typename Connection>
auto ConnectionPool<Connection>::TakeIdle(std::vector<ConnectionPtr>& closed) -> ConnectionPtr {
  while (!idle_.empty()) {
    ConnectionPtr connection = std::move(idle_.back());
    idle_.pop_back();
    if (!TooOld(*connection)) return connection;
    closed.push_back(std::move(connection));
  }
  return nullptr;
}

template <typename Connection>
void ConnectionPool<Connection>::Return(ConnectionPtr connection) {
  absl::MutexLock lock(&mutex_);
  --in_use_;
  const bool keep =
      connection->usable() && !TooOld(*connection) && idle_.size() < options_.idle_max;
  if (keep) idle_.push_back(std::move(connection));
}

template <typename Connection>
void ConnectionPool<Connection>::CloseIdle() {
  std::vector<ConnectionPtr> closed;
  absl::MutexLock lock(&mutex_);
  std::swap(closed, idle_);
}

template <typename Connection>
bool ConnectionPool<Connection>::TooOld(const Connection& connection) const {
  if (options_.age_max == Duration(0)) return false;
  return SystemClock().Now() - connection.opened_at() > options_.age_max;
}

}  // namespace troth
