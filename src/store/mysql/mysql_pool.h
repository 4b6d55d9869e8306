#pragma once
// The connections of one store: opened when needed, used again, bounded in number and in age. While
// the server cannot be reached, takers are told so at once, and one of them tries again now and
// then. Thread-safe. Private to this folder.

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "base/time.h"
#include "store/mysql/mysql_connection.h"

namespace troth::mysql {

struct PoolOptions {
  ConnectionOptions connection;
  size_t open_max = 0;  // Store.MaxOpenConns; 0: no bound
  size_t idle_max = 0;  // Store.MaxIdleConns; 0: none are kept
  Duration age_max{};   // Store.ConnMaxLifeTime; 0: as long as it works
  // How long a taker waits while all connections are in use.
  Duration wait_max = Seconds(5);
  // Pause after a connection that could not be opened; doubles up to the second.
  Duration retry_pause_min = std::chrono::milliseconds(50);
  Duration retry_pause_max = Seconds(1);
};

class Pool {
 public:
  // A connection in use; it goes back at the end, or is closed when it is of no use any more.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection);
    ~Lease();
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    Connection* operator->() const { return connection_.get(); }
    Connection& operator*() const { return *connection_; }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  explicit Pool(PoolOptions options);

  // ResourceExhausted when all stay in use for too long; else what Connection::Open says, or said
  // a moment ago. A connection that the server has closed meanwhile shows when it is used.
  StatusOr<Lease> Take();
  // Closes those that idle: the server was restarted, they are likely dead too.
  void CloseIdle();
  // OK while connections can be had; else why not.
  Status status();

 private:
  using Connections = std::vector<std::unique_ptr<Connection>>;

  void Return(std::unique_ptr<Connection> connection);
  // A young idle connection, or nullptr. Those too old are moved to `closed`.
  std::unique_ptr<Connection> TakeIdle(Connections& closed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TooOld(const Connection& connection) const;
  StatusOr<Lease> Open();
  void OnOpened(const Status& status);

  const PoolOptions options_;
  absl::Mutex mutex_;
  Connections idle_ ABSL_GUARDED_BY(mutex_);
  size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
  Status last_open_ ABSL_GUARDED_BY(mutex_);
  Duration retry_pause_ ABSL_GUARDED_BY(mutex_){};
  TimePoint retry_at_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace troth::mysql
