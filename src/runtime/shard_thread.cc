#include "runtime/shard_thread.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace troth {
namespace {

LoadDone ReadRecord(Store& store, TxnId id, const std::string& gid) {
  LoadDone done{.id = id, .status = LoadStatus::kMissing, .txn = nullptr, .error = {}};
  StatusOr<std::optional<StoredRecord>> record = store.Load(gid);
  if (record.ok() && !record->has_value()) return done;
  StatusOr<std::unique_ptr<Transaction>> txn =
      record.ok() ? store.Decode(**record)
                  : StatusOr<std::unique_ptr<Transaction>>(record.status());
  if (!txn.ok()) {
    done.status = LoadStatus::kFailed;
    done.error = Message(txn.status());
    return done;
  }
  done.status = LoadStatus::kFound;
  done.txn = *std::move(txn);
  return done;
}

// The results of a commit come at once and are worked on at once: taken in shares, each share's
// calls and saves would leave on their own, come back on their own, and a transaction would cost
// half as much again in wakeups and syncs (docs/adr/0019). Beyond this many the network has its
// turn in between.
constexpr size_t kInboxTurnMax = 512;
// A commit is of transactions that were last touched some milliseconds ago: what the engine has of
// the one so many places ahead is fetched while it steps the others.
constexpr size_t kExpectAhead = 2;
// Saves a turn keeps before the writer gets them: all of a turn but the largest, when thousands of
// requests arrive at once.
constexpr size_t kSavesTurnMax = 1024;

ClientAnswer Overloaded() {
  return {.code = ReplyCode::kOverloaded,
          .message = "too many requests are waiting; try again in a second",
          .grpc_code = static_cast<int>(StatusCode::kResourceExhausted),
          .txn = nullptr};
}

}  // namespace

ShardThread::ShardThread(size_t index,
                         net::Loop& loop,
                         EngineOptions options,
                         uint64_t seed,
                         const Clock& clock,
                         BranchCaller& caller,
                         Store& store,
                         StoreReaders& readers,
                         Observers observers)
    : index_(index),
      loop_(loop),
      clock_(clock),
      store_(store),
      readers_(readers),
      observers_(std::move(observers)),
      deadline_(loop, [this] { shard_.Handle(Tick{}); }),
      room_(options.limits.in_flight_max),
      shard_(std::move(options), seed, clock, caller, *this) {}

ShardThread::~ShardThread() = default;

void ShardThread::Request(RequestPtr request, net::Loop& reply_loop, AnswerFn done) {
  if (loop_.OnLoopThread()) return HandleHere(std::move(request), reply_loop, std::move(done));
  AnswerFn refused = done;
  if (!Push({std::move(request), &reply_loop, std::move(done)})) {
    reply_loop.Post([refused = std::move(refused)] { refused(Overloaded()); });
  }
}

void ShardThread::HandleHere(RequestPtr request, net::Loop& reply_loop, AnswerFn done) {
  request->token = Remember(reply_loop, std::move(done));
  shard_.Handle(std::move(request));
}

void ShardThread::Deliver(std::vector<SaveDone> results) {
  bool wake = false;
  {
    absl::MutexLock lock(&mutex_);
    wake = !std::exchange(taking_, true);
    for (SaveDone& result : results) inbox_.push_back({std::move(result), nullptr, nullptr});
  }
  if (wake) loop_.Post([this] { TakeInbox(); });
}

void ShardThread::Deliver(Event event) { Push({std::move(event), nullptr, nullptr}); }

bool ShardThread::Push(Incoming incoming) {
  bool wake = false;
  {
    absl::MutexLock lock(&mutex_);
    if (incoming.reply_loop != nullptr) {
      if (inbox_requests_ >= limits::kInboxRequestsMax) return false;
      ++inbox_requests_;
    }
    wake = !std::exchange(taking_, true);
    inbox_.push_back(std::move(incoming));
  }
  if (wake) loop_.Post([this] { TakeInbox(); });
  return true;
}

void ShardThread::TakeInbox() {
  if (taken_.empty()) {
    absl::MutexLock lock(&mutex_);
    taken_.swap(inbox_);
    inbox_requests_ = 0;
  }
  for (size_t i = 0; i < kInboxTurnMax && !taken_.empty(); ++i) {
    Incoming incoming = std::move(taken_.front());
    taken_.pop_front();
    if (taken_.size() >= kExpectAhead) shard_.engine().Expect(taken_[kExpectAhead - 1].event);
    if (incoming.reply_loop != nullptr) {
      std::get<RequestPtr>(incoming.event)->token =
          Remember(*incoming.reply_loop, std::move(incoming.done));
    }
    shard_.Handle(std::move(incoming.event));
  }
  busy_.store(shard_.engine().busy(), std::memory_order_relaxed);  // before HasIncoming is false
  if (MoreIncoming()) loop_.Post([this] { TakeInbox(); });
}

bool ShardThread::MoreIncoming() {
  if (!taken_.empty()) return true;
  absl::MutexLock lock(&mutex_);
  taking_ = !inbox_.empty();
  return taking_;
}

bool ShardThread::HasIncoming() {
  absl::MutexLock lock(&mutex_);
  return taking_;
}

size_t ShardThread::inbox_size() {
  absl::MutexLock lock(&mutex_);
  return inbox_.size();
}

void ShardThread::StopStarting() {
  loop_.Post([this] { shard_.engine().StopStarting(); });
}

void ShardThread::Save(const troth::Save& save) {
  saves_.push_back({save.id, store_.Encode(save)});
  if (saves_.size() == kSavesTurnMax) writer_->Enqueue(index_, saves_);
}

void ShardThread::Load(TxnId id, std::string gid) {
  readers_.Run([this, id, gid = std::move(gid)] { Deliver(Event(ReadRecord(store_, id, gid))); });
}

ReplyToken ShardThread::Remember(net::Loop& loop, AnswerFn done) {
  if (free_waiter_ == 0) {
    waiters_.emplace_back();
    free_waiter_ = static_cast<uint32_t>(waiters_.size());
  }
  const uint32_t slot = free_waiter_;
  Waiter& waiter = waiters_[slot - 1];
  free_waiter_ = waiter.next_free;
  waiter.loop = &loop;
  waiter.done = std::move(done);
  return (static_cast<uint64_t>(waiter.generation) << 32) | slot;
}

void ShardThread::Answer(Reply& reply) {
  const auto slot = static_cast<uint32_t>(reply.token);
  if (slot == 0 || slot > waiters_.size()) return;
  Waiter& waiter = waiters_[slot - 1];
  if (waiter.generation != static_cast<uint32_t>(reply.token >> 32)) return;
  ClientAnswer answer{.code = reply.code,
                      .message = std::move(reply.message),
                      .grpc_code = reply.grpc_code,
                      .txn = nullptr};
  if (reply.txn != nullptr) answer.txn = std::make_shared<const Transaction>(*reply.txn);
  net::Loop* const to = waiter.loop;
  AnswerFn done = std::move(waiter.done);
  ++waiter.generation;
  waiter.next_free = std::exchange(free_waiter_, slot);
  if (to == &loop_) return done(std::move(answer));
  to->Post(
      [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void ShardThread::OnAlert(const Alert& alert) { observers_.alert(alert); }

void ShardThread::OnEnded(const Transaction& txn) { observers_.ended(txn); }

void ShardThread::OnTurnEnd() {
  if (!saves_.empty()) writer_->Enqueue(index_, saves_);
  room_.store(shard_.engine().room(), std::memory_order_relaxed);
  busy_.store(shard_.engine().busy(), std::memory_order_relaxed);
  ArmDeadline();
}

void ShardThread::ArmDeadline() {
  const std::optional<TimePoint> next = shard_.NextDeadline();
  if (!next) return deadline_.Cancel();
  deadline_.ArmAfter(std::max(Duration(0), *next - clock_.Now()));
}

}  // namespace troth
