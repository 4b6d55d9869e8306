#include "store/redis/master_finder.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "base/text.h"
#include "store/redis/command.h"

namespace troth::redis {
namespace {

// What one Sentinel that does not answer may cost before the next is asked.
constexpr std::chrono::milliseconds kSentinelTimeout{500};

class NodeFinder final : public MasterFinder {
 public:
  explicit NodeFinder(std::vector<Endpoint> nodes) : nodes_(std::move(nodes)) {}

  StatusOr<Endpoint> Find(Deadline) override {
    absl::MutexLock lock(&mutex_);
    return owner_ ? *owner_ : nodes_[next_ % nodes_.size()];
  }

  void OnMoved(const Endpoint& to) override {
    absl::MutexLock lock(&mutex_);
    owner_ = to;
  }

  void OnLost(const Endpoint& endpoint) override {
    absl::MutexLock lock(&mutex_);
    if (owner_ == endpoint) {
      owner_.reset();
    } else {
      ++next_;
    }
  }

 private:
  const std::vector<Endpoint> nodes_;
  absl::Mutex mutex_;
  std::optional<Endpoint> owner_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

class SentinelFinder final : public MasterFinder {
 public:
  SentinelFinder(std::string name, std::vector<Endpoint> sentinels, Login login)
      : name_(std::move(name)), sentinels_(std::move(sentinels)), login_(std::move(login)) {}

  StatusOr<Endpoint> Find(Deadline deadline) override {
    {
      absl::MutexLock lock(&mutex_);
      if (master_) return *master_;
    }
    Status last;
    for (const Endpoint& sentinel : sentinels_) {
      const StatusOr<Endpoint> told = Ask(sentinel, deadline);
      last = told.status();
      if (!told.ok()) continue;
      absl::MutexLock lock(&mutex_);
      master_ = *told;
      return *told;
    }
    const bool refused = last.code() == StatusCode::kFailedPrecondition;  // its password is wrong
    return MakeStatus(refused ? last.code() : StatusCode::kUnavailable,
                      Cat("no Sentinel of Store.Host tells the master ",
                          name_,
                          "; the last one said: ",
                          Message(last)));
  }

  void OnMoved(const Endpoint&) override {}

  void OnLost(const Endpoint& endpoint) override {
    absl::MutexLock lock(&mutex_);
    if (master_ == endpoint) master_.reset();
  }

 private:
  StatusOr<Endpoint> Ask(const Endpoint& sentinel, Deadline deadline) {
    deadline = std::min(deadline, std::chrono::steady_clock::now() + kSentinelTimeout);
    TROTH_ASSIGN_OR_RETURN(const auto connection, Connection::Open(sentinel, login_, deadline));
    const std::string question = Command({"SENTINEL", "get-master-addr-by-name", name_});
    TROTH_ASSIGN_OR_RETURN(const ReplyPtr reply, connection->Ask(question, deadline));
    const std::string_view host = Text(Element(reply.get(), 0));
    const int64_t port = Integer(Element(reply.get(), 1));
    if (host.empty() || port <= 0 || port > UINT16_MAX) {
      return NotFound(Cat("it knows no master of that name; check Store.SentinelMaster"));
    }
    return Endpoint{std::string(host), static_cast<uint16_t>(port)};
  }

  const std::string name_;
  const std::vector<Endpoint> sentinels_;
  const Login login_;
  absl::Mutex mutex_;
  std::optional<Endpoint> master_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<MasterFinder> FindAmong(std::vector<Endpoint> nodes) {
  return std::make_unique<NodeFinder>(std::move(nodes));
}

std::unique_ptr<MasterFinder> FindBySentinel(std::string name,
                                             std::vector<Endpoint> sentinels,
                                             Login login) {
  return std::make_unique<SentinelFinder>(std::move(name), std::move(sentinels), std::move(login));
}

StatusOr<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  const auto port = ParseInt(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (!port || *port <= 0 || *port > UINT16_MAX) {
    return InvalidArgument(Cat("\"", text, "\" is no address of a Redis server; write host:port"));
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return Endpoint{std::string(host), static_cast<uint16_t>(*port)};
}

}  // namespace troth::redis
