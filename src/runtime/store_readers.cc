#include "runtime/store_readers.h"

#include <utility>

namespace troth {

StoreReaders::StoreReaders(size_t threads, size_t optional_max) : optional_max_(optional_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

StoreReaders::~StoreReaders() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void StoreReaders::Run(std::function<void()> job) {
  absl::MutexLock lock(&mutex_);
  jobs_.push_back(std::move(job));
}

bool StoreReaders::TryRun(std::function<void()> job) {
  absl::MutexLock lock(&mutex_);
  if (jobs_.size() >= optional_max_) return false;
  jobs_.push_back(std::move(job));
  return true;
}

size_t StoreReaders::waiting() {
  absl::MutexLock lock(&mutex_);
  return jobs_.size();
}

void StoreReaders::Work() {
  const auto ready = [this]()
                         ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || !jobs_.empty(); };
  while (true) {
    std::function<void()> job;
    {
      absl::MutexLock lock(&mutex_, absl::Condition(&ready));
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace troth
