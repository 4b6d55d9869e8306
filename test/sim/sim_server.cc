#include "sim_server.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sim_caller.h"
#include "store/record.h"

namespace troth::sim {

// One shard and what it needs of its surroundings.
class SimServer::Host final : public ShardPorts {
 public:
  Host(SimServer& server, size_t index)
      : server_(server),
        index_(index),
        caller_(server.context_,
                server.services_,
                server.auditor_,
                server.self(),
                server.clock_,
                [&server, life = server.life_](Task task) {
                  auto shared = std::make_shared<Task>(std::move(task));
                  if (server.life_ == life) server.Here([shared] { (*shared)(); })();
                }),
        buggy_caller_(server.context_, caller_, server.bug_),
        shard_(server.options_.engine,
               server.context_.random.Next(),
               server.buggy_clock_,
               buggy_caller_,
               *this) {}

  Shard& shard() { return shard_; }

  void Save(const troth::Save& save) override {
    server_.QueueSave({.shard = index_, .id = save.id, .record = EncodeSave(save)});
  }
  void Load(TxnId id, std::string gid) override;
  void Answer(Reply& reply) override { server_.Answer(reply); }
  void OnAlert(const Alert&) override {}
  void OnEnded(const Transaction& txn) override { server_.auditor_.OnEnded(txn); }
  void OnHandled() override { ArmDeadline(/*anew=*/false); }

  // Plans the next tick; `anew`: also when the deadline is the same, since the clock was set.
  void ArmDeadline(bool anew);

 private:
  SimServer& server_;
  const size_t index_;
  SimCaller caller_;
  BuggyCaller buggy_caller_;
  Shard shard_;
  std::optional<TimePoint> armed_;
  uint64_t ticks_armed_ = 0;
};

void SimServer::Host::Load(TxnId id, std::string gid) {
  const auto loaded = [this, id](const StatusOr<std::optional<StoredRecord>>& record) {
    LoadDone done{.id = id, .status = LoadStatus::kMissing, .txn = nullptr, .error = {}};
    if (record.ok() && record->has_value()) {
      StatusOr<std::unique_ptr<Transaction>> txn = DecodeTransaction(**record);
      done.status = txn.ok() ? LoadStatus::kFound : LoadStatus::kFailed;
      if (txn.ok()) done.txn = *std::move(txn);
      if (!txn.ok()) done.error = Message(txn.status());
    } else if (!record.ok()) {
      done.status = LoadStatus::kFailed;
      done.error = Message(record.status());
    }
    shard_.Handle(std::move(done));
  };
  server_.store_.Load(server_.self(),
                      std::move(gid),
                      [life = server_.life_, &server = server_, loaded](
                          const StatusOr<std::optional<StoredRecord>>& record) {
                        if (server.life_ == life)
                          server.Here([loaded, record] { loaded(record); })();
                      });
}

void SimServer::Host::ArmDeadline(bool anew) {
  // Timers of the operating system are no finer.
  constexpr Duration kFinest = Millis(1);
  const std::optional<TimePoint> deadline = shard_.NextDeadline();
  if (!anew && deadline == armed_) return;
  armed_ = deadline;
  ++ticks_armed_;
  if (!deadline) return;
  server_.After(std::max(*deadline - server_.buggy_clock_.Now(), kFinest),
                [this, tick = ticks_armed_] {
                  if (tick != ticks_armed_) return;
                  armed_.reset();
                  shard_.Handle(Tick{});
                });
}

SimServer::SimServer(Context& context,
                     int number,
                     ServerOptions options,
                     StorePort& store,
                     Services& services,
                     Auditor& auditor,
                     Bug bug)
    : context_(context),
      number_(number),
      options_(std::move(options)),
      store_(store),
      services_(services),
      auditor_(auditor),
      bug_(bug),
      clock_(context.scheduler),
      buggy_clock_(clock_, bug),
      paused_until_(context.scheduler.now()) {}

SimServer::~SimServer() = default;

// --- Life and death

void SimServer::Start() {
  ++life_;
  auditor_.OnLife(self());
  context_.log.Add("server", number_, ".", life_, " starts");
  draining_ = false;
  committing_ = false;
  claiming_ = false;
  for (size_t i = 0; i < options_.shards; ++i) {
    shards_.push_back(std::make_unique<Host>(*this, i));
  }
  After(Duration(0), [this] { ClaimTick(); });
}

void SimServer::Crash() {
  context_.log.Add("server", number_, ".", life_, " ends");
  ++life_;  // whatever is on its way to it finds nobody
  auditor_.OnLife(self());
  paused_until_ = context_.scheduler.now();
  shards_.clear();
  requests_.clear();
  queue_.clear();
}

void SimServer::Pause(Duration pause) {
  context_.log.Add("server", number_, " stands still");
  paused_until_ = context_.scheduler.now() + pause;
  buggy_clock_.OnPause(pause);
}

void SimServer::Drain(Duration grace, std::function<void()> stopped) {
  if (draining_) return;
  context_.log.Add("server", number_, " drains");
  draining_ = true;
  handed_back_ = false;
  for (const auto& host : shards_) host->shard().engine().StopStarting();
  CheckDrained(context_.scheduler.now() + grace, std::move(stopped));
}

void SimServer::CheckDrained(TimePoint end, std::function<void()> stopped) {
  const bool busy = std::any_of(shards_.begin(), shards_.end(), [](const auto& host) {
    return host->shard().engine().busy() > 0;
  });
  if (!busy || context_.scheduler.now() >= end) {
    Crash();
    return stopped();
  }
  constexpr Duration kHandBackTime = Seconds(1);
  if (context_.scheduler.now() >= end - kHandBackTime && !std::exchange(handed_back_, true)) {
    for (const auto& host : shards_) host->shard().Handle(HandBack{});
  }
  After(Millis(50), [this, end, stopped = std::move(stopped)] { CheckDrained(end, stopped); });
}

void SimServer::OnClockSet() {
  for (const auto& host : shards_) host->ArmDeadline(/*anew=*/true);
}

std::function<void()> SimServer::Here(std::function<void()> task) {
  return [this, life = life_, task = std::move(task)] {
    if (life != life_) return;
    const Duration pause = paused_until_ - context_.scheduler.now();
    if (pause <= Duration(0)) return task();
    context_.scheduler.After(pause, Here(task));
  };
}

void SimServer::After(Duration delay, std::function<void()> task) {
  context_.scheduler.After(delay, Here(std::move(task)));
}

// --- Clients

size_t SimServer::ShardOf(std::string_view gid) const {
  size_t hash = 0;
  for (const char c : gid) hash = hash * 31 + static_cast<unsigned char>(c);
  return hash % shards_.size();
}

void SimServer::Receive(const Request& request, ReplyFn reply) {
  if (!up()) return;
  Here([this, request, reply = std::move(reply)] {
    auto incoming = std::make_unique<Request>(request);
    incoming->token = ++last_token_;
    requests_[incoming->token] = {request, reply};
    shards_[ShardOf(request.draft.gid)]->shard().Handle(std::move(incoming));
  })();
}

void SimServer::Answer(Reply& reply) {
  const auto found = requests_.find(reply.token);
  if (found == requests_.end()) {
    return auditor_.Violation(Cat("token ", reply.token, " is answered twice"));
  }
  const OpenRequest open = std::move(found->second);
  requests_.erase(found);
  auditor_.OnAnswer(open.request, reply);
  ClientReply told{.code = reply.code, .message = reply.message, .txn = nullptr};
  if (reply.txn != nullptr) told.txn = std::make_unique<Transaction>(*reply.txn);
  open.reply(told);
}

// --- The store writer

void SimServer::QueueSave(QueuedSave save) {
  queue_.push_back(std::move(save));
  if (queue_.size() == 1 && !committing_) After(Duration(0), [this] { CommitQueued(); });
}

void SimServer::CommitQueued() {
  if (committing_ || queue_.empty()) return;
  committing_ = true;
  auto batch = std::make_shared<std::vector<QueuedSave>>(std::exchange(queue_, {}));
  std::vector<SaveRecord> records;
  for (const QueuedSave& save : *batch) records.push_back(save.record);
  store_.Commit(
      self(), std::move(records), [this, life = life_, batch](std::vector<SaveOutcome> outcomes) {
        if (life == life_) {
          Here([this, batch, outcomes = std::move(outcomes)] { OnCommitted(*batch, outcomes); })();
        }
      });
}

void SimServer::OnCommitted(const std::vector<QueuedSave>& batch,
                            const std::vector<SaveOutcome>& outcomes) {
  committing_ = false;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    shards_[batch[i].shard]->shard().Handle(SaveDone{.id = batch[i].id,
                                                     .version = batch[i].record.version,
                                                     .result = outcomes[i].result,
                                                     .error = outcomes[i].error});
  }
  CommitQueued();
}

// --- Claims

void SimServer::ClaimTick() {
  After(options_.claim_tick, [this] { ClaimTick(); });
  if (claiming_ || draining_) return;
  claiming_ = true;
  const TimePoint now = clock_.Now();
  OpenClaim claim{.lease_until = now + options_.engine.retry_interval, .forgotten = {}};
  for (const auto& host : shards_) {
    claim.forgotten.push_back(host->shard().engine().forgotten());
  }
  const TimePoint lease_until = claim.lease_until;
  const auto claimed = [this, claim = std::move(claim), life = life_](const auto& records) {
    if (life != life_) return;
    Here([this, records, claim] { OnClaimed(records, claim); })();
  };
  store_.ClaimDue(self(), now, lease_until, 64, claimed);
}

void SimServer::OnClaimed(const StatusOr<std::vector<StoredRecord>>& records,
                          const OpenClaim& claim) {
  claiming_ = false;
  if (!records.ok()) return;
  for (const StoredRecord& record : *records) {
    StatusOr<std::unique_ptr<Transaction>> txn = DecodeTransaction(record);
    if (!txn.ok()) {
      auditor_.Violation(Cat(record.gid, " cannot be read: ", Message(txn.status())));
      continue;
    }
    context_.log.Add("server", number_, ".", life_, " claims ", record.gid, " v", record.version);
    if (life_ > 1) context_.marks.Reached(Mark::kClaimAfterCrash);
    const size_t shard = ShardOf(record.gid);
    Claimed claimed{*std::move(txn), claim.lease_until, claim.forgotten[shard]};
    auditor_.OnClaimed(self(), record.gid, claim.lease_until);
    if (bug_ == Bug::kLateClaim) {
      claimed.lease_until = clock_.Now() + options_.engine.retry_interval;
    }
    if (bug_ == Bug::kStaleClaim) claimed.forgotten = shards_[shard]->shard().engine().forgotten();
    shards_[shard]->shard().Handle(std::move(claimed));
  }
}

}  // namespace troth::sim
