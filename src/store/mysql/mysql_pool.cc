#include "store/mysql/mysql_pool.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "base/text.h"

namespace troth::mysql {

Pool::Lease::Lease(Pool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {}

Pool::Lease::~Lease() {
  if (connection_ != nullptr) pool_->Return(std::move(connection_));
}

Pool::Pool(PoolOptions options) : options_(std::move(options)) {}

StatusOr<Pool::Lease> Pool::Take() {
  Connections closed;  // outside of the lock: closing talks to the server
  {
    absl::MutexLock lock(&mutex_);
    const auto free = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return options_.open_max == 0 || in_use_ < options_.open_max;
    };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&free), absl::FromChrono(options_.wait_max))) {
      return ResourceExhausted(Cat("all ",
                                   options_.open_max,
                                   " connections to MySQL are in use; Store.MaxOpenConns bounds "
                                   "them"));
    }
    if (auto connection = TakeIdle(closed)) {
      ++in_use_;
      return Lease(*this, std::move(connection));
    }
    if (!last_open_.ok() && SystemClock().Now() < retry_at_) return last_open_;
    ++in_use_;
  }
  return Open();
}

StatusOr<Pool::Lease> Pool::Open() {
  StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(options_.connection);
  OnOpened(opened.status());
  if (!opened.ok()) return opened.status();
  return Lease(*this, *std::move(opened));
}

void Pool::OnOpened(const Status& status) {
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

std::unique_ptr<Connection> Pool::TakeIdle(Connections& closed) {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!TooOld(*connection)) return connection;
    closed.push_back(std::move(connection));
  }
  return nullptr;
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  absl::MutexLock lock(&mutex_);
  --in_use_;
  const bool keep =
      connection->usable() && !TooOld(*connection) && idle_.size() < options_.idle_max;
  if (keep) idle_.push_back(std::move(connection));
}

void Pool::CloseIdle() {
  Connections closed;
  absl::MutexLock lock(&mutex_);
  std::swap(closed, idle_);
}

Status Pool::status() {
  absl::MutexLock lock(&mutex_);
  return last_open_;
}

bool Pool::TooOld(const Connection& connection) const {
  if (options_.age_max == Duration(0)) return false;
  return SystemClock().Now() - connection.opened_at() > options_.age_max;
}

}  // namespace troth::mysql
