#include "runtime/manager_metrics.h"

#include <array>
#include <memory>
#include <span>
#include <string_view>

namespace troth {
namespace {

using Shards = std::span<const std::unique_ptr<ShardThread>>;

std::string_view ModelName(size_t type) { return WireName(static_cast<TransType>(type)); }

template <typename Get>  // of a shard and a type, a DurationHistogram
DurationCounts SumOf(Shards shards, size_t type, Get get) {
  DurationCounts sum;
  for (const auto& shard : shards) sum += get(*shard, type).counts();
  return sum;
}

uint64_t CountOf(const DurationCounts& counts) {
  uint64_t sum = 0;
  for (const uint64_t count : counts.counts) sum += count;
  return sum;
}

void AppendPasses(Shards shards, MetricsText& text) {
  std::array<DurationCounts, kTransTypes> ages;
  for (size_t type = 0; type < kTransTypes; ++type) {
    ages[type] = SumOf(shards, type, [](const ShardThread& shard, size_t of) -> auto& {
      return shard.engine_counters().age_at_pass[of];
    });
  }
  text.Counter("dtm_transaction_process_total",
               "Passes begun, one for each submit, abort and retry.");
  for (size_t type = 0; type < kTransTypes; ++type) {
    text.Sample({{"model", ModelName(type)}, {"status", "ok"}}, CountOf(ages[type]));
  }
  text.Histogram("dtm_transaction_handled_duration",
                 "Age of transactions in seconds when a pass begins.");
  for (size_t type = 0; type < kTransTypes; ++type) {
    text.SampleDurations({{"model", ModelName(type)}}, ages[type]);
  }
}

void AppendEnds(Shards shards, MetricsText& text) {
  text.Histogram("troth_transaction_duration", "Seconds from creation to the durable end.");
  for (size_t type = 0; type < kTransTypes; ++type) {
    const DurationCounts succeeded =
        SumOf(shards, type, [](const ShardThread& shard, size_t of) -> auto& {
          return shard.counters().succeeded[of];
        });
    const DurationCounts failed =
        SumOf(shards, type, [](const ShardThread& shard, size_t of) -> auto& {
          return shard.counters().failed[of];
        });
    text.SampleDurations({{"model", ModelName(type)}, {"status", "succeed"}}, succeeded);
    text.SampleDurations({{"model", ModelName(type)}, {"status", "failed"}}, failed);
  }
}

void AppendShards(Shards shards, MetricsText& text) {
  size_t busy = 0;
  size_t inbox = 0;
  for (const auto& shard : shards) {
    busy += shard->busy();
    inbox += shard->inbox_size();
  }
  text.Gauge("troth_in_flight", "Transactions being worked on now.");
  text.Sample({}, busy);
  text.Gauge("troth_queue_depth", "Entries that wait, by queue.");
  text.Sample({{"queue", "inbox"}}, inbox);
}

void AppendCalls(Shards shards, MetricsText& text) {
  const auto sum = [shards](Counter ShardCounters::* counter) {
    uint64_t total = 0;
    for (const auto& shard : shards) total += (shard->counters().*counter).value();
    return total;
  };
  text.Counter("troth_calls_total", "Branch calls, by what became of them.");
  text.Sample({{"result", "asked_again"}}, sum(&ShardCounters::calls_unknown));
  text.Sample({{"result", "held_back"}}, sum(&ShardCounters::calls_held_back));
  text.Sample({{"result", "all"}}, sum(&ShardCounters::calls));
  text.Gauge("troth_circuits_open", "Endpoints that do not answer, counted by each shard.");
  const uint64_t closed = sum(&ShardCounters::circuits_closed);
  text.Sample({}, sum(&ShardCounters::circuits_opened) - closed);
}

void AppendWriter(const StoreWriterCounters& writer, MetricsText& text) {
  text.Histogram("troth_store_commit_duration", "Seconds of one commit of the store.");
  text.SampleDurations({}, kCommitBounds, writer.took.counts());
  text.Histogram("troth_store_commit_saves", "Saves in one commit of the store.");
  text.SampleNumbers({}, kBatchBounds, writer.batch.counts());
  text.Counter("troth_store_conflicts_total", "Saves another server was faster with.");
  text.Sample({}, writer.conflicts.value());
  text.Counter("troth_store_failed_saves_total", "Saves of which the store cannot tell.");
  text.Sample({}, writer.failed_saves.value());
  text.Counter("troth_store_refused_saves_total", "Saves that the store cannot hold.");
  text.Sample({}, writer.refused_saves.value());
}

}  // namespace

void AppendManagerMetrics(const TransactionManager& manager, MetricsText& text) {
  AppendPasses(manager.shards(), text);
  AppendEnds(manager.shards(), text);
  AppendCalls(manager.shards(), text);
  AppendShards(manager.shards(), text);
  text.Sample({{"queue", "store_writer"}}, manager.writer_counters().waiting.load());
  text.Sample({{"queue", "store_readers"}}, manager.waiting_reads());
  AppendWriter(manager.writer_counters(), text);
  text.Gauge("troth_unfinished", "Transactions in the store without an end.");
  text.Sample({}, manager.store().Unfinished());
  text.Gauge("troth_oldest_unfinished_seconds",
             "Age of the oldest transaction without an end; 0: there is none.");
  text.SampleSeconds({}, manager.OldestUnfinished());
}

}  // namespace troth
