#include "store/postgres/pg_pool.h"

#include <utility>

#include "absl/time/time.h"
#include "base/text.h"

namespace troth::postgres {

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
                                   " connections to PostgreSQL are in use; Store.MaxOpenConns "
                                   "bounds them"));
    }
    ++in_use_;
    if (auto connection = TakeIdle(closed)) return Lease(*this, std::move(connection));
  }
  StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(options_.connection);
  if (opened.ok()) return Lease(*this, *std::move(opened));
  absl::MutexLock lock(&mutex_);
  --in_use_;
  return opened.status();
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

bool Pool::TooOld(const Connection& connection) const {
  if (options_.age_max == Duration(0)) return false;
  return SystemClock().Now() - connection.opened_at() > options_.age_max;
}

}  // namespace troth::postgres
