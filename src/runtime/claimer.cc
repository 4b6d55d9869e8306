#include "runtime/claimer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace troth {

Claimer::Claimer(net::Loop& loop,
                 Store& store,
                 StoreReaders& readers,
                 const Clock& clock,
                 std::vector<ShardThread*> shards,
                 ShardOf shard_of,
                 ClaimerOptions options)
    : loop_(loop),
      store_(store),
      readers_(readers),
      clock_(clock),
      shards_(std::move(shards)),
      shard_of_(std::move(shard_of)),
      options_(options),
      timer_(loop, [this] { OnTick(); }) {}

Claimer::~Claimer() = default;

void Claimer::Start() {
  stopped_ = false;
  timer_.ArmAfter(Duration(0));
}

void Claimer::Stop() {
  stopped_ = true;
  timer_.Cancel();
}

size_t Claimer::Room() const {
  size_t room = SIZE_MAX;
  for (const ShardThread* shard : shards_) room = std::min(room, shard->room());
  return room;
}

void Claimer::OnTick() {
  if (stopped_ || asking_) return;
  timer_.ArmAfter(options_.tick);
  const TimePoint now = clock_.Now();
  const std::optional<TimePoint> due = store_.NextDue();
  // Half of a shard's room stays for new requests, so that recovery does not starve them.
  const size_t limit = std::min(options_.batch_max, Room() / 2);
  if (!due || *due > now || limit == 0) return;
  asking_ = true;
  readers_.Run([this, now, limit] {
    const bool more = ClaimBatch(now, limit);
    loop_.Post([this, more] {
      asking_ = false;
      if (!stopped_) timer_.ArmAfter(more ? Duration(0) : options_.tick);
    });
  });
}

bool Claimer::ClaimBatch(TimePoint now, size_t limit) {
  const TimePoint lease_until = now + options_.lease;
  std::vector<uint64_t> forgotten;
  for (const ShardThread* shard : shards_) forgotten.push_back(shard->forgotten());
  StatusOr<std::vector<StoredRecord>> records = store_.ClaimDue(now, lease_until, limit);
  if (!records.ok()) {
    LogWarn("due transactions could not be claimed; trying again", {{"error", records.status()}});
    return false;
  }
  for (const StoredRecord& record : *records) {
    StatusOr<std::unique_ptr<Transaction>> txn = store_.Decode(record);
    if (!txn.ok()) {
      LogError("transaction cannot be read; it is left alone until its next due time",
               {{"gid", record.gid}, {"error", txn.status()}});
      continue;
    }
    const size_t shard = shard_of_(record.gid);
    shards_[shard]->Deliver(Event(Claimed{*std::move(txn), lease_until, forgotten[shard]}));
  }
  return records->size() == limit;
}

}  // namespace troth
