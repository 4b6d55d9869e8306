#include "runtime/transaction_manager.h"

#include <utility>

#include "base/log.h"

namespace troth {
namespace {

constexpr Duration kPurgeInterval = Seconds(30);
constexpr size_t kPurgeStep = 2000;  // small steps: a purge must not be felt
constexpr Duration kDrainPoll = std::chrono::milliseconds(5);
// The last fifth of a drain's grace is for parking what comes to its next call, the last tenth for
// handing back what does not get there.
constexpr int kParkingShare = 5, kHandBackShare = 10;

Status TooManyQueries() {
  return ResourceExhausted("too many queries are waiting for the store; try again in a second");
}

StatusOr<std::shared_ptr<const Transaction>> ReadTransaction(Store& store, const std::string& gid) {
  TROTH_ASSIGN_OR_RETURN(std::optional<StoredRecord> record, store.Load(gid));
  if (!record) return std::shared_ptr<const Transaction>();
  TROTH_ASSIGN_OR_RETURN(std::unique_ptr<Transaction> txn, store.Decode(*record));
  return std::shared_ptr<const Transaction>(std::move(txn));
}

StatusOr<TransactionPage> ReadPage(Store& store, const ListFilter& filter) {
  TROTH_ASSIGN_OR_RETURN(ListPage page, store.List(filter));
  TransactionPage out;
  out.next_position = std::move(page.next_position);
  out.damaged = std::move(page.damaged);
  for (const StoredRecord& record : page.records) {
    StatusOr<std::unique_ptr<Transaction>> txn = store.Decode(record);
    if (txn.ok()) {
      out.transactions.push_back(*std::move(txn));
    } else {
      out.damaged.push_back({record.gid, std::string(Message(txn.status()))});
    }
  }
  for (const DamagedRecord& record : out.damaged) {
    LogError("transaction cannot be read; it is left out of the list",
             {{"gid", record.gid}, {"error", record.error}});
  }
  return out;
}

}  // namespace

// Removes old finished transactions, a small step at a time.
class TransactionManager::Purger {
 public:
  Purger(net::Loop& loop, TransactionManager& manager)
      : loop_(loop), manager_(manager), timer_(loop, [this] { Purge(); }) {
    if (manager_.options_.keep_finished > Duration(0)) timer_.ArmAfter(kPurgeInterval);
  }

 private:
  void Purge() {
    manager_.readers_->Run([this] {
      const TimePoint before = manager_.clock_.Now() - manager_.options_.keep_finished;
      const StatusOr<uint64_t> removed = manager_.store_.Purge(before, kPurgeStep);
      if (!removed.ok()) {
        LogWarn("finished transactions could not be removed", {{"error", removed.status()}});
      }
      const bool more = removed.ok() && *removed >= kPurgeStep;
      loop_.Post([this, more] { timer_.ArmAfter(more ? Seconds(0) : kPurgeInterval); });
    });
  }

  net::Loop& loop_;
  TransactionManager& manager_;
  net::Timer timer_;
};

// Waits until no shard works on anything: first for what runs to end, then for it to park, then for
// what has been handed back to be stored.
class TransactionManager::Drainer {
 public:
  Drainer(net::Loop& loop, TransactionManager& manager, Duration grace, std::function<void()> done)
      : loop_(loop),
        manager_(manager),
        done_(std::move(done)),
        park_at_(loop.turn_time() + grace - grace / kParkingShare),
        hand_back_at_(loop.turn_time() + grace - grace / kHandBackShare),
        hand_back_time_(grace / kHandBackShare),
        timer_(loop, [this] { Look(); }) {}

  void Look() {
    const auto now = loop_.turn_time();
    if (manager_.IsQuiet() || now >= end_at_) return std::exchange(done_, nullptr)();
    if (now >= park_at_ && !std::exchange(parking_, true)) {
      for (const auto& shard : manager_.shards_) shard->StopStarting();
    }
    if (now >= hand_back_at_ && !std::exchange(handing_back_, true)) {
      for (const auto& shard : manager_.shards_) shard->Deliver(Event(HandBack{}));
      // Counted from here: a machine that stood still meanwhile takes none of it.
      end_at_ = now + hand_back_time_;
    }
    timer_.ArmAfter(kDrainPoll);
  }

 private:
  net::Loop& loop_;
  TransactionManager& manager_;
  std::function<void()> done_;
  const std::chrono::steady_clock::time_point park_at_;
  const std::chrono::steady_clock::time_point hand_back_at_;
  const Duration hand_back_time_;
  std::chrono::steady_clock::time_point end_at_ = std::chrono::steady_clock::time_point::max();
  bool parking_ = false;
  bool handing_back_ = false;
  net::Timer timer_;
};

TransactionManager::TransactionManager(TransactionManagerOptions options,
                                       std::vector<ShardPlace> places,
                                       Store& store,
                                       const Clock& clock,
                                       ShardThread::Observers observers)
    : options_(std::move(options)),
      store_(store),
      clock_(clock),
      readers_(std::make_unique<StoreReaders>()) {
  std::vector<ShardThread*> pointers;
  for (size_t i = 0; i < places.size(); ++i) {
    shards_.push_back(std::make_unique<ShardThread>(i,
                                                    *places[i].loop,
                                                    options_.engine,
                                                    options_.seed + i,
                                                    clock_,
                                                    *places[i].caller,
                                                    store_,
                                                    *readers_,
                                                    observers));
    pointers.push_back(shards_.back().get());
  }
  writer_ = std::make_unique<StoreWriter>(
      store_,
      shards_.size(),
      [pointers](size_t shard, std::vector<SaveDone> results) {
        pointers[shard]->Deliver(std::move(results));
      },
      [pointers] {
        size_t busy = 0;
        for (const ShardThread* shard : pointers) busy += shard->busy();
        return busy;
      },
      kBatchMax,
      options_.stored);
  for (ShardThread* shard : pointers) shard->set_writer(*writer_);
  claimer_ = std::make_unique<Claimer>(
      *places[0].loop,
      store_,
      *readers_,
      clock_,
      pointers,
      [this](std::string_view gid) { return ShardOf(gid); },
      options_.claimer);
  purger_ = std::make_unique<Purger>(*places[0].loop, *this);
}

TransactionManager::~TransactionManager() {
  // Threads first: they hand results to what is destroyed after them.
  readers_.reset();
  writer_.reset();
}

void TransactionManager::Start() { claimer_->Start(); }

size_t TransactionManager::ShardOf(std::string_view gid) const {
  return shards_.size() == 1 ? 0 : std::hash<std::string_view>{}(gid) % shards_.size();
}

void TransactionManager::Request(troth::Request request, net::Loop& loop, AnswerFn done) {
  ShardThread& shard = *shards_[ShardOf(request.draft.gid)];
  shard.Request(std::make_unique<troth::Request>(std::move(request)), loop, std::move(done));
}

void TransactionManager::Query(std::string gid, net::Loop& loop, QueryFn done) {
  const bool accepted = readers_->TryRun([this, gid = std::move(gid), &loop, done] {
    loop.Post([done, found = ReadTransaction(store_, gid)] { done(found); });
  });
  if (!accepted) loop.Post([done] { done(TooManyQueries()); });
}

void TransactionManager::List(ListFilter filter, net::Loop& loop, ListFn done) {
  const bool accepted = readers_->TryRun([this, filter = std::move(filter), &loop, done] {
    loop.Post([done, page = ReadPage(store_, filter)] { done(page); });
  });
  if (!accepted) loop.Post([done] { done(TooManyQueries()); });
}

bool TransactionManager::RunOnStore(std::function<void(Store&)> job) {
  return readers_->TryRun([this, job = std::move(job)] { job(store_); });
}

void TransactionManager::Halt() {
  for (const auto& shard : shards_) shard->Halt();
}

Duration TransactionManager::OldestUnfinished() const {
  const std::optional<TimePoint> oldest = store_.OldestCreation();
  return oldest ? std::max(Duration(0), clock_.Now() - *oldest) : Duration(0);
}

size_t TransactionManager::busy() const {
  size_t busy = writer_->counters().waiting.load();
  for (const auto& shard : shards_) busy += shard->busy();
  return busy;
}

bool TransactionManager::IsQuiet() const {
  // In the order in which a claim goes: the store, an inbox, a shard.
  if (claimer_->asking()) return false;
  for (const auto& shard : shards_) {
    if (shard->HasIncoming()) return false;
  }
  return busy() == 0;
}

void TransactionManager::Drain(Duration grace, net::Loop& loop, std::function<void()> done) {
  loop.Post([this, grace, &loop, done = std::move(done)] {
    claimer_->Stop();
    drainer_ = std::make_unique<Drainer>(loop, *this, grace, done);
    drainer_->Look();
  });
}

}  // namespace troth
