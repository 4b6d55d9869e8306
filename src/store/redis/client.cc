#include "store/redis/client.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "store/redis/command.h"

namespace troth::redis {
namespace {

// Of the memory of a batch that is used again.
constexpr size_t kBatchBytesKept = 512 << 10;

// Pauses between attempts: none before the second, then doubled from the first to the longest.
constexpr std::chrono::milliseconds kFirstPause{10};
constexpr std::chrono::milliseconds kLongestPause{200};

// Sent after commands that must reach replicas: WAIT answers how many have what this connection has
// written. A replica takes writes in their order, so that one of ours stands for all before it,
// also for those that were only read.
constexpr size_t kBarrierCommands = 2;
std::string MakeBarrier(const ClientOptions& options) {
  if (options.replicas == 0) return {};
  return Command({"SET", options.probe, "1", "PX", "1000"}) +
         Command({"WAIT", Cat(options.replicas), Cat(options.replicas_timeout.count())});
}

// The commands of a batch that are still open, and a barrier ("" without one), in `room` if they
// are not all there is.
std::string_view Join(const Batch& batch,
                      const std::vector<size_t>& open,
                      std::string_view barrier,
                      std::string& room) {
  if (open.size() == batch.size() && barrier.empty()) return batch.bytes();
  for (const size_t i : open) room += batch.command(i);
  return room += barrier;
}

// "MOVED 15495 10.0.0.1:6379"; without a host it is the node that says so.
std::optional<Endpoint> MovedTo(std::string_view error, const Endpoint& from) {
  const StatusOr<Endpoint> to = ParseEndpoint(error.substr(error.rfind(' ') + 1));
  if (!to.ok()) return std::nullopt;
  return to->host.empty() ? Endpoint{from.host, to->port} : *to;
}

}  // namespace

void Batch::Add(std::span<const std::string_view> arguments) {
  CommandWriter command = Begin(arguments.size());
  for (const std::string_view argument : arguments) command.Add(argument);
}

CommandWriter Batch::Begin(size_t arguments) {
  begins_.push_back(bytes_.size());
  return CommandWriter(bytes_, arguments);
}

void Batch::Clear() {
  bytes_.Clear(kBatchBytesKept);
  begins_.clear();
}

// One call of Run: its commands that have no answer yet, and the attempts to get them.
class Client::Run_ {
 public:
  Run_(Client& client, const Batch& batch, Repeat repeat, Reach reach)
      : client_(client),
        batch_(batch),
        repeat_(repeat),
        waits_(reach == Reach::kReplicas && client.options_.replicas > 0),
        end_(std::chrono::steady_clock::now() + client.options_.patience),
        answers_(batch.size()),
        open_(batch.size()) {
    std::iota(open_.begin(), open_.end(), size_t{0});
  }

  std::vector<Answer> Do() {
    std::chrono::milliseconds pause{0};
    while (!open_.empty()) {
      Attempt();
      if (open_.empty() || hopeless_ || std::chrono::steady_clock::now() + pause >= end_) break;
      std::this_thread::sleep_for(pause);
      pause = std::clamp(2 * pause, kFirstPause, kLongestPause);
    }
    for (const size_t i : open_) answers_[i].status = problem_;
    return std::move(answers_);
  }

 private:
  void Attempt() {
    StatusOr<std::unique_ptr<Connection>> connection = client_.Take(end_);
    if (!connection.ok()) {
      hopeless_ = connection.status().code() == StatusCode::kFailedPrecondition;
      // That there was no time left for an answer says less than what an earlier attempt was told.
      const bool cut_short = std::chrono::steady_clock::now() >= end_;
      if (problem_.ok() || hopeless_ || !cut_short) problem_ = connection.status();
      return;
    }
    std::vector<ReplyPtr> replies;
    const Status exchanged = Exchange(**connection, replies);
    const bool replicated = TakeBarrier(replies);
    std::vector<size_t> again;
    for (size_t k = 0; k < replies.size(); ++k) {
      answers_[open_[k]].replicated = replicated;
      if (!Settle(open_[k], std::move(replies[k]))) again.push_back(open_[k]);
    }
    for (size_t k = replies.size(); k < open_.size(); ++k) {
      if (!GiveUp(open_[k], exchanged)) again.push_back(open_[k]);
    }
    open_ = std::move(again);
    React(*std::move(connection), exchanged);
  }

  Status Exchange(Connection& connection, std::vector<ReplyPtr>& replies) {
    size_t count = open_.size();
    Deadline deadline = std::chrono::steady_clock::now() + client_.options_.answer_timeout;
    if (waits_) {
      count += kBarrierCommands;
      deadline += client_.options_.replicas_timeout;
    }
    std::string room;
    const std::string_view barrier = waits_ ? std::string_view(client_.barrier_) : "";
    const std::string_view commands = Join(batch_, open_, barrier, room);
    replies.reserve(count);
    return connection.Exchange(commands, count, replies, deadline);
  }

  // Takes the answers to the barrier, if they came, away from the others; whether it was passed.
  bool TakeBarrier(std::vector<ReplyPtr>& replies) {
    if (!waits_) return true;
    bool passed = false;
    if (replies.size() == open_.size() + kBarrierCommands) {
      const redisReply* const set = replies[open_.size()].get();
      passed = !IsError(set) && Integer(replies.back().get()) >= client_.options_.replicas;
    }
    replies.resize(std::min(replies.size(), open_.size()));
    return passed;
  }

  // False when the command was not carried out and is to be sent again.
  bool Settle(size_t i, ReplyPtr reply) {
    if (!IsError(reply.get())) {
      answers_[i].reply = std::move(reply);
      return true;
    }
    const std::string_view error = Text(reply.get());
    const ErrorKind kind = KindOf(error);
    if (kind == ErrorKind::kFinal) {
      answers_[i].status = Explain(error);
      answers_[i].refused = true;
      return true;
    }
    kind_ = kind;
    error_ = error;
    problem_ = Explain(error);
    return false;
  }

  // True when the command whose answer was lost must not be sent again.
  bool GiveUp(size_t i, const Status& why) {
    problem_ = why;
    if (repeat_ == Repeat::kYes) return false;
    answers_[i].status = why;
    answers_[i].lost = true;
    return true;
  }

  void React(std::unique_ptr<Connection> connection, const Status& exchanged) {
    const Endpoint endpoint = connection->endpoint();
    const std::optional<ErrorKind> kind = std::exchange(kind_, std::nullopt);
    if (!exchanged.ok() || kind == ErrorKind::kNotMaster) return client_.Lose(endpoint);
    if (kind == ErrorKind::kMoved) {
      if (const auto to = MovedTo(error_, endpoint)) {
        client_.Lose(endpoint);
        client_.finder_->OnMoved(*to);
      }
      return;
    }
    if (kind == ErrorKind::kNoScript) {
      const Status loaded = client_.LoadScripts(*connection, end_);
      if (!loaded.ok()) problem_ = loaded;
    }
    client_.GiveBack(std::move(connection));
  }

  Client& client_;
  const Batch& batch_;
  const Repeat repeat_;
  const bool waits_;
  const Deadline end_;
  std::vector<Answer> answers_;
  std::vector<size_t> open_;  // indexes of commands, in order
  // Of the last attempt that was not cut short: an error that says what to do, and what the caller
  // is told in the end.
  std::optional<ErrorKind> kind_;
  std::string error_;
  Status problem_;
  bool hopeless_ = false;  // the configuration is wrong: no attempt would do better
};

Client::Client(std::unique_ptr<MasterFinder> finder,
               Login login,
               std::string key,
               std::vector<std::string> scripts,
               ClientOptions options)
    : finder_(std::move(finder)),
      login_(std::move(login)),
      key_(std::move(key)),
      scripts_(std::move(scripts)),
      options_(std::move(options)),
      barrier_(MakeBarrier(options_)) {}

std::vector<Answer> Client::Run(const Batch& batch, Repeat repeat, Reach reach) {
  return Run_(*this, batch, repeat, reach).Do();
}

StatusOr<ReplyPtr> Client::Run(std::initializer_list<std::string_view> command,
                               Repeat repeat,
                               Reach reach) {
  Batch batch;
  batch.Add(command);
  Answer answer = std::move(Run(batch, repeat, reach)[0]);
  if (!answer.status.ok()) return answer.status;
  if (!answer.replicated) return NotReplicated();
  return std::move(answer.reply);
}

Status Client::NotReplicated() const {
  return Unavailable(Cat("fewer than ",
                         options_.replicas,
                         " replicas of Redis (Store.RedisWaitReplicas) had it after ",
                         options_.replicas_timeout.count(),
                         " ms"));
}

StatusOr<std::unique_ptr<Connection>> Client::Take(Deadline deadline) {
  while (true) {
    absl::MutexLock lock(&mutex_);
    if (idle_.empty()) break;
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->Closed()) return connection;
  }
  deadline = std::min(deadline, std::chrono::steady_clock::now() + options_.connect_timeout);
  TROTH_ASSIGN_OR_RETURN(const Endpoint endpoint, finder_->Find(deadline));
  StatusOr<std::unique_ptr<Connection>> opened = Connection::Open(endpoint, login_, deadline);
  if (!opened.ok()) {
    finder_->OnLost(endpoint);
    return opened;
  }
  TROTH_RETURN_IF_ERROR(CheckOwner(**opened, deadline));
  return opened;
}

Status Client::CheckOwner(Connection& connection, Deadline deadline) {
  const Endpoint& endpoint = connection.endpoint();
  std::vector<ReplyPtr> replies;
  const std::string questions = Command({"EXISTS", key_}) + Command({"ROLE"});
  Status checked = connection.Exchange(questions, 2, replies, deadline);
  if (checked.ok() && IsError(replies[0].get())) {
    const std::string_view error = Text(replies[0].get());
    checked = Explain(error);
    if (KindOf(error) == ErrorKind::kMoved) {
      if (const auto to = MovedTo(error, endpoint)) {
        finder_->OnMoved(*to);
        return checked;
      }
    }
  }
  // A replica that took the place of the master, or never was one.
  if (checked.ok() && Text(Element(replies[1].get(), 0)) == "slave") {
    checked = Explain(Cat("READONLY ", Name(endpoint), " is a replica"));
  }
  if (!checked.ok()) finder_->OnLost(endpoint);
  return checked;
}

void Client::GiveBack(std::unique_ptr<Connection> connection) {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(connection));
}

void Client::Lose(const Endpoint& endpoint) {
  finder_->OnLost(endpoint);
  absl::MutexLock lock(&mutex_);
  std::erase_if(idle_, [&](const auto& connection) { return connection->endpoint() == endpoint; });
}

Status Client::LoadScripts(Connection& connection, Deadline deadline) {
  for (const std::string& script : scripts_) {
    const auto loaded = connection.Ask(Command({"SCRIPT", "LOAD", script}), deadline);
    if (!loaded.ok()) return loaded.status();
  }
  return OkStatus();
}

}  // namespace troth::redis
