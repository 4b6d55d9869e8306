#include "world.h"

#include <utility>

#include "base/text.h"

namespace troth::sim {
namespace {

constexpr Duration kTroubleTime = Seconds(120);
constexpr Duration kTroubleEvery = Millis(2'000);
// What the longest retry interval, lease, timeout and clock error can add up to, and some.
constexpr Duration kTimeToEnd = Seconds(600);
constexpr Duration kClockErrorMax = Seconds(30);
// More than this in one seed is a loop without a pause.
constexpr uint64_t kStepsMax = 2'000'000;
constexpr uint64_t kServersMax = 3;
constexpr Duration kDrainGrace = Seconds(5);

SimStore::Kind StoreKind(bool embedded, bool on_disk) {
  if (on_disk) return SimStore::Kind::kEmbeddedOnDisk;
  return embedded ? SimStore::Kind::kEmbedded : SimStore::Kind::kShared;
}

}  // namespace

SeedResult RunSeed(uint64_t seed, Bug bug, bool keep_log, bool on_disk) {
  return World(seed, bug, keep_log, on_disk).Run();
}

World::World(uint64_t seed, Bug bug, bool keep_log, bool on_disk)
    : seed_(seed),
      context_(seed, keep_log),
      embedded_(context_.random.OneIn(3) || on_disk),
      workload_(DrawWorkload(context_.random)),
      network_(context_),
      auditor_(context_, workload_),
      store_(context_, network_, auditor_, StoreKind(embedded_, on_disk)),
      buggy_store_(context_, store_, bug),
      services_(context_, network_, auditor_, workload_, bug != Bug::kNoBarrier),
      clients_(context_, network_, auditor_, services_, workload_, servers_) {
  MakeServers(bug);
}

EngineOptions World::DrawEngineOptions() {
  Random& random = context_.random;
  EngineOptions options;
  options.retry_interval = Seconds(1 + static_cast<int64_t>(random.Below(10)));
  options.timeout_to_fail = Seconds(5 + static_cast<int64_t>(random.Below(35)));
  options.request_timeout = Seconds(1 + static_cast<int64_t>(random.Below(4)));
  options.retry_jitter_percent = random.OneIn(2) ? 20 : 0;
  options.limits.retry_interval_max = 60;
  options.limits.parallel_calls_max = 1 + random.Below(8);
  options.limits.resident_idle_max = random.Below(20);
  options.limits.waiting_requests_max = 1 + random.Below(8);
  options.limits.in_flight_max = random.OneIn(4) ? 4 : 1000;
  return options;
}

void World::MakeServers(Bug bug) {
  ServerOptions options{.engine = DrawEngineOptions()};
  options.shards = 1 + context_.random.Below(2);
  options.claim_tick = context_.Between(Millis(50), Millis(1'000));
  const size_t count = embedded_ ? 1 : 1 + context_.random.Below(kServersMax);
  for (size_t i = 0; i < count; ++i) {
    servers_.push_back(std::make_unique<SimServer>(
        context_, static_cast<int>(i), options, buggy_store_, services_, auditor_, bug));
  }
}

SeedResult World::Run() {
  const TimePoint start = context_.scheduler.now();
  for (const auto& server : servers_) server->Start();
  clients_.Start();
  context_.scheduler.After(kTroubleEvery, [this] { Trouble(); });
  RunUntil(start + kTroubleTime, /*until_finished=*/false);
  Heal();
  RunUntil(context_.scheduler.now() + kTimeToEnd, /*until_finished=*/true);

  if (auditor_.violations().empty()) CheckAllEnded();
  if (auditor_.violations().empty()) auditor_.CheckBooks(services_);
  SeedResult result{.seed = seed_};
  result.simulated = context_.scheduler.now() - start;
  result.steps = context_.scheduler.steps();
  result.transfers = workload_.transfers.size();
  result.violations = auditor_.violations();
  result.faults = context_.faults.hits();
  result.marks = context_.marks.counts();
  result.log = context_.log.text();
  return result;
}

void World::CheckAllEnded() {
  for (const std::string& gid : auditor_.Unfinished()) {
    auditor_.Violation(
        Cat(gid, " has not ended ", kTimeToEnd.count() / 1'000'000, " s after the last fault"));
  }
}

void World::RunUntil(TimePoint end, bool until_finished) {
  // Clients may go on for a while after everything that is stored has ended.
  const TimePoint earliest = context_.scheduler.now() + Seconds(120);
  uint64_t steps = 0;
  while (context_.scheduler.Step(end)) {
    if (!auditor_.violations().empty()) return;
    if (++steps > kStepsMax) return auditor_.Violation("it does not come to rest");
    const bool look = until_finished && steps % 64 == 0 && context_.scheduler.now() > earliest;
    if (look && auditor_.Unfinished().empty()) return;
  }
}

// --- What goes wrong

void World::Trouble() {
  if (context_.faults.stopped()) return;
  for (const auto& server : servers_) {
    TroubleOfServer(*server);
    TroubleOfClock(*server);
  }
  TroubleOfStore();
  TroubleOfNetwork();
  if (context_.faults.Strikes(Fault::kOperatorStops)) {
    StopOne();
  }
  if (context_.faults.Strikes(Fault::kServiceCrash)) {
    services_.Crash(context_.random.Below(workload_.services),
                    context_.Between(Millis(100), Millis(30'000)));
  }
  context_.scheduler.After(kTroubleEvery, [this] { Trouble(); });
}

void World::TroubleOfServer(SimServer& server) {
  if (!server.up()) return;
  Faults& faults = context_.faults;
  // Not on the beat of the trouble, but at any moment.
  const Duration moment = context_.Between(Duration(0), kTroubleEvery);
  if (faults.Strikes(Fault::kServerCrash)) {
    context_.scheduler.After(moment, [this, &server] { CrashServer(server); });
  } else if (faults.Strikes(Fault::kServerPause)) {
    context_.scheduler.After(moment, [this, &server] {
      if (server.up()) server.Pause(context_.Between(Millis(10), Millis(20'000)));
    });
  } else if (faults.Strikes(Fault::kServerDrain)) {
    server.Drain(kDrainGrace, [this, &server] {
      context_.scheduler.After(Millis(100), [this, &server] { Restart(server); });
    });
  }
}

void World::TroubleOfClock(SimServer& server) {
  if (context_.faults.Strikes(Fault::kClockJump)) {
    server.clock().Correct();
    server.clock().Jump(context_.Between(-kClockErrorMax, kClockErrorMax));
    server.OnClockSet();
  }
  if (context_.faults.Strikes(Fault::kClockDrift)) {
    server.clock().SetDrift(static_cast<int64_t>(context_.random.Below(20'000)) - 10'000);
  }
}

void World::TroubleOfStore() {
  Faults& faults = context_.faults;
  if (!embedded_ && faults.Strikes(Fault::kStoreCrash)) {
    store_.Crash(context_.Between(Millis(100), Millis(15'000)));
  }
  if (faults.Strikes(Fault::kStoreFull)) {
    store_.FillUp(context_.Between(Millis(100), Millis(15'000)));
  }
  if (faults.Strikes(Fault::kOperatorResets)) store_.ResetDue(context_.scheduler.now());
}

// As an operator does who finds it in the list of unfinished ones.
void World::StopOne() {
  const std::vector<std::string> unfinished = auditor_.Unfinished();
  if (unfinished.empty()) return;
  clients_.ForceStop(workload_.of(unfinished[context_.random.Below(unfinished.size())]));
}

void World::TroubleOfNetwork() {
  const auto draw_end = [this] {
    return context_.scheduler.now() + context_.Between(Millis(100), Millis(20'000));
  };
  if (context_.faults.Strikes(Fault::kPartition)) {
    const auto [a, b] = DrawNeighbours();
    context_.log.Add("no network between ", a, " and ", b);
    network_.Cut(a, b, draw_end());
  }
  if (context_.faults.Strikes(Fault::kHalfOpen)) {
    auto [from, to] = DrawNeighbours();
    if (context_.random.OneIn(2)) std::swap(from, to);
    context_.log.Add("no network from ", from, " to ", to);
    network_.CutOneWay(from, to, draw_end());
  }
}

std::pair<Node, Node> World::DrawNeighbours() {
  const Node server = kFirstServer + static_cast<Node>(context_.random.Below(servers_.size()));
  const Node others[] = {
      kClients,
      kStoreNode,
      kFirstService + static_cast<Node>(context_.random.Below(workload_.services))};
  return {server, others[context_.random.Below(std::size(others))]};
}

void World::CrashServer(SimServer& server) {
  if (!server.up()) return;
  if (embedded_) store_.LoseBuffer();
  server.Crash();
  context_.scheduler.After(context_.Between(Millis(50), Millis(10'000)),
                           [this, &server] { Restart(server); });
}

void World::Restart(SimServer& server) {
  if (server.up()) return;
  if (embedded_) store_.ResetDue(context_.scheduler.now());
  server.Start();
}

void World::Heal() {
  context_.log.Add("faults end");
  context_.faults.Stop();
  network_.HealAll();
  store_.Recover();
  services_.RestartAll();
  for (const auto& server : servers_) {
    server->clock().Correct();
    server->OnClockSet();
    Restart(*server);
  }
}

}  // namespace troth::sim
