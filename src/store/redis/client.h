#pragma once
// Talks to whichever server is the master of our keys: keeps connections, sends many commands in
// one write, finds the new master after a failover, and asks again what was not carried out.
//
// Any thread; each call uses a connection of its own while it lasts.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "store/redis/command.h"
#include "store/redis/master_finder.h"

namespace troth::redis {

// Commands to be sent together.
class Batch {
 public:
  void Add(std::span<const std::string_view> arguments);
  void Add(std::initializer_list<std::string_view> arguments) {
    Add(std::span(arguments.begin(), arguments.size()));
  }

  // For one of many arguments, all of which are added before the batch is used again.
  CommandWriter Begin(size_t arguments);
  void Reserve(size_t bytes) { bytes_.Reserve(bytes); }
  // Makes it empty; some of the memory stays.
  void Clear();

  size_t size() const { return begins_.size(); }
  std::string_view bytes() const { return bytes_.view(); }
  std::string_view command(size_t i) const {
    const size_t end = i + 1 < begins_.size() ? begins_[i + 1] : bytes_.size();
    return bytes().substr(begins_[i], end - begins_[i]);
  }

 private:
  TextBuffer bytes_;
  std::vector<size_t> begins_;
};

struct Answer {
  Status status;   // not OK: Redis refused it (Explain), or it could not be asked
  ReplyPtr reply;  // when OK
  // Its answer was lost: it may have been carried out. Repeat::kNo only.
  bool lost = false;
  // It was asked, and refused for a reason of its own.
  bool refused = false;
  // Reach::kReplicas: whether enough replicas have said that they have what it did or saw.
  bool replicated = true;
};

// Whether a command whose answer was lost may be sent again.
enum class Repeat : uint8_t { kYes, kNo };

// Where what a command does must have come to when it is answered; what it reads, too.
enum class Reach : uint8_t { kMaster, kReplicas };

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{1000};
  std::chrono::milliseconds answer_timeout{5000};
  // How long a call rides out failovers, restarts and lost connections.
  std::chrono::milliseconds patience{5000};
  // For Reach::kReplicas; with 0 the master is enough. `probe` is a key that nobody uses.
  int64_t replicas = 0;
  std::chrono::milliseconds replicas_timeout{1000};
  std::string probe = {};
};

class Client {
 public:
  // `key` is one of ours: its owner is whom commands without a key (SCAN) are sent to as well.
  // `scripts` are loaded wherever they are missing.
  Client(std::unique_ptr<MasterFinder> finder,
         Login login,
         std::string key,
         std::vector<std::string> scripts,
         ClientOptions options = {});

  // Carries the commands out in their order. Answer i belongs to command i. With Repeat::kNo an
  // answer that was lost is an error although the command may have been carried out.
  std::vector<Answer> Run(const Batch& batch, Repeat repeat, Reach reach = Reach::kMaster);

  // One command. Unavailable also when it has not reached enough replicas.
  StatusOr<ReplyPtr> Run(std::initializer_list<std::string_view> command,
                         Repeat repeat,
                         Reach reach = Reach::kMaster);

  // The error of an answer that is not `replicated`.
  Status NotReplicated() const;

 private:
  class Run_;

  StatusOr<std::unique_ptr<Connection>> Take(Deadline deadline);
  void GiveBack(std::unique_ptr<Connection> connection);
  // Forgets all connections to it.
  void Lose(const Endpoint& endpoint);
  // Whether the server is the master that has our keys; in a cluster it says who is.
  Status CheckOwner(Connection& connection, Deadline deadline);
  Status LoadScripts(Connection& connection, Deadline deadline);

  const std::unique_ptr<MasterFinder> finder_;
  const Login login_;
  const std::string key_;
  const std::vector<std::string> scripts_;
  const ClientOptions options_;
  const std::string barrier_;  // commands, see client.cc
  absl::Mutex mutex_;
  // No more than there were calls at once.
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troth::redis
