#include "server/server.h"

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "api/api_context.h"
#include "api/grpc_api.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "caller/dispatch_caller.h"
#include "caller/grpc_caller.h"
#include "caller/http_caller.h"
#include "caller/metered_caller.h"
#include "discovery/directory.h"
#include "discovery/grpc_targets.h"
#include "discovery/http_targets.h"
#include "metrics/process_metrics.h"
#include "net/grpc_server.h"
#include "net/http1_client.h"
#include "net/http1_server.h"
#include "runtime/end_log.h"
#include "runtime/manager_metrics.h"
#include "runtime/transaction_manager.h"
#include "server/alert_web_hook.h"
#include "server/http_routes.h"
#include "server/open_store.h"
#include "server/own_registry.h"
#include "server/version.h"

namespace troth {
namespace {

constexpr Duration kDrainGrace = Seconds(10);
constexpr int64_t kRetryJitterPercent = 10;
constexpr Duration kDeregisterTimeout = Seconds(2);
// From leaving the registry to closing the door: clients hear of it by then. Kratos's ask Consul at
// most once a second.
constexpr Duration kLeavingTime = std::chrono::milliseconds(1500);

// Calls of one loop that wait for one service. After a restart all transactions in flight may want
// the same one at once; one that is refused here would sit out its backoff.
constexpr uint32_t kCallsWaitingMax = limits::kInFlightMax;

// A shard's loop and everything that calls out from it.
struct Lane {
  Lane(net::Loop& on,
       Directory& directory,
       const Config& config,
       const std::shared_ptr<net::TlsContext>& tls)
      : loop(on),
        caller(loop, dispatch),
        targets(loop, directory, TargetsOptions(config, tls)),
        http_client(loop, {.tls = tls, .waiting_per_host_max = kCallsWaitingMax}),
        http_targets(loop,
                     directory,
                     http_client,
                     HttpTargetsOptions{.balance = BalanceOf(config),
                                        .secure_instances = config.outgoing_tls.set(),
                                        .waiting_requests_max = kCallsWaitingMax}),
        grpc(loop, targets),
        http(loop, http_targets, Random::FromDevice()),
        dispatch(http, grpc) {}

  static GrpcTargetsOptions TargetsOptions(const Config& config,
                                           const std::shared_ptr<net::TlsContext>& tls) {
    GrpcTargetsOptions options;
    options.tls = tls;
    options.secure_instances = config.outgoing_tls.set();
    options.balance = BalanceOf(config);
    options.waiting_calls_max = kCallsWaitingMax;
    options.channel.waiting_calls_max = kCallsWaitingMax;
    return options;
  }
  static Balance BalanceOf(const Config& config) {
    return config.grpc_balance == GrpcBalance::kRoundRobin ? Balance::kRoundRobin
                                                           : Balance::kLeastLoaded;
  }

  net::Loop& loop;
  MeteredCaller caller;  // outlives those below: they tell it the ends of their calls
  GrpcTargets targets;
  net::HttpClient http_client;
  HttpTargets http_targets;
  GrpcCaller grpc;
  HttpCaller http;
  DispatchCaller dispatch;
};

// For grpcs:// and https:// services.
StatusOr<std::shared_ptr<net::TlsContext>> OutgoingTls(const Config& config) {
  return net::TlsContext::MakeClient({.ca_file = config.outgoing_tls.ca_path,
                                      .certificate_file = config.outgoing_tls.cert_path,
                                      .key_file = config.outgoing_tls.cert_key_path});
}

// For our own ports; null: plain text.
StatusOr<std::shared_ptr<net::TlsContext>> ListenTls(const Config& config, std::string protocol) {
  const ListenTlsConfig& tls = config.listen_tls;
  if (!tls.set()) return std::shared_ptr<net::TlsContext>();
  return net::TlsContext::MakeServer({.ca_file = tls.client_ca_path,
                                      .certificate_file = tls.cert_path,
                                      .key_file = tls.cert_key_path,
                                      .require_client_certificate = !tls.client_ca_path.empty(),
                                      .alpn = {std::move(protocol)}});
}

void WarnOfOpenPorts(const ListenTlsConfig& tls) {
  if (!tls.client_ca_path.empty()) return;
  LogWarn(
      "every listener is open to whoever can reach it, as dtm's are; keep the ports inside a "
      "trusted network, or let in only clients with a certificate (ListenTls.ClientCaPath)");
}

size_t ShardCount(const Config& config) {
  if (config.shards > 0) return static_cast<size_t>(config.shards);
  return std::max(1u, std::thread::hardware_concurrency());
}

int64_t WholeSeconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

// How long we keep finished transactions; 0 for ever.
Duration KeepFinished(const StoreConfig& store) {
  switch (store.driver) {
    case StoreDriver::kEmbedded:
    case StoreDriver::kMemory: return store.data_expire;
    // dtm never removes anything from a SQL database; nor do we, unless asked to.
    case StoreDriver::kMysql:
    case StoreDriver::kPostgres: return store.purge_finished_after;
    // Redis removes them by itself (FinishedDataExpire).
    case StoreDriver::kRedis: return Duration(0);
  }
  std::abort();  // not one of the values: memory is corrupt
}

// Whether other servers may change a transaction between two requests of a client.
bool IsShared(StoreDriver driver) {
  return driver != StoreDriver::kEmbedded && driver != StoreDriver::kMemory;
}

TransactionManagerOptions ManagerOptions(const Config& config, Watchers& watchers) {
  TransactionManagerOptions options;
  options.engine.retry_interval = config.retry_interval;
  options.engine.retry_jitter_percent = kRetryJitterPercent;
  options.engine.limits.retry_interval_max = WholeSeconds(config.retry_interval_max);
  options.engine.timeout_to_fail = config.timeout_to_fail;
  options.engine.request_timeout = config.request_timeout;
  options.engine.alerts = !config.alert_web_hook.empty();
  options.engine.alert_retry_limit = config.alert_retry_limit;
  options.engine.strict_wait_result = config.wait_result_strict;
  options.claimer.lease = config.retry_interval;
  options.keep_finished = KeepFinished(config.store);
  // What was kept from an earlier request may be outdated: each begins with a look into the store.
  if (IsShared(config.store.driver)) options.engine.limits.resident_idle_max = 0;
  Random random = Random::FromDevice();
  options.seed = random.Next();
  options.stored = [&watchers](std::string_view gid) { watchers.OnChanged(gid); };
  return options;
}

std::vector<net::Loop*> Pointers(const std::vector<std::unique_ptr<net::Loop>>& loops) {
  std::vector<net::Loop*> out;
  for (const auto& loop : loops) out.push_back(loop.get());
  return out;
}

}  // namespace

struct Server::Parts {
  Parts(Config from, const ServerHooks& hooks)
      : config(std::move(from)),
        disk(hooks.disk),
        clock(hooks.clock != nullptr ? *hooks.clock : system_clock) {}
  ~Parts();

  Status Start(bool reset_store);
  Status MakeAlertHook();
  Status Listen();
  bool Registers() const { return registry.kind != TargetKind::kDirect; }
  Status RegisterSelf();
  std::vector<MetricsSource> MetricsSources();
  void OnSignal(const boost::system::error_code& error, int signal);
  void Drain();
  void StopListening();
  void StopLoops();

  // In start order; destroyed in reverse.
  const Config config;
  rocksdb::Env* const disk;  // null: the machine's
  const SystemClock system_clock{};
  const Clock& clock;
  RegistryTarget registry;  // kDirect: registers nowhere
  EndLog end_log;
  std::unique_ptr<Store> store;
  std::vector<std::unique_ptr<net::Loop>> loops;
  Watchers watchers;
  std::unique_ptr<Directory> directory;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<AlertWebHook> alert_hook;  // null without AlertWebHook
  std::unique_ptr<TransactionManager> manager;
  Topics topics;
  std::unique_ptr<ApiMetrics> api_metrics;
  std::unique_ptr<ApiContext> context;
  std::unique_ptr<HttpRouter> router;
  net::HealthService health;
  std::unique_ptr<net::GrpcServer> grpc_server;
  std::unique_ptr<net::HttpServer> http_server;
  std::unique_ptr<boost::asio::signal_set> signals;
  std::unique_ptr<net::Timer> leaving;
  std::atomic<bool> draining = false;
  int waiting_for = 0;  // parts that still drain
};

Server::Parts::~Parts() {
  // What still runs ends with its sockets, and must not count as an answer of a branch.
  if (manager) manager->Halt();
  http_server.reset();
  grpc_server.reset();
  lanes.clear();
}

Status Server::Parts::Start(bool reset_store) {
  TROTH_ASSIGN_OR_RETURN(registry, OwnRegistry(config.micro_service));
  TROTH_ASSIGN_OR_RETURN(store, OpenStore(config.store, reset_store, disk));
  for (size_t i = 0; i < ShardCount(config); ++i) loops.push_back(std::make_unique<net::Loop>());
  directory = std::make_unique<Directory>(*loops[0], registry);
  TROTH_ASSIGN_OR_RETURN(const std::shared_ptr<net::TlsContext> tls, OutgoingTls(config));
  std::vector<ShardPlace> places;
  for (const auto& loop : loops) {
    lanes.push_back(std::make_unique<Lane>(*loop, *directory, config, tls));
    places.push_back({loop.get(), &lanes.back()->caller});
  }
  TROTH_RETURN_IF_ERROR(MakeAlertHook());
  manager = std::make_unique<TransactionManager>(
      ManagerOptions(config, watchers),
      std::move(places),
      *store,
      clock,
      ShardThread::Observers{
          .alert = [this](const Alert& alert) { alert_hook->Send(alert); },
          .ended = [this](const Transaction& txn) { end_log.OnEnded(txn, clock.Now()); }});
  TROTH_RETURN_IF_ERROR(topics.Refresh(*store));
  api_metrics = std::make_unique<ApiMetrics>(Pointers(loops));
  context = std::make_unique<ApiContext>(
      ApiContext{.manager = *manager,
                 .topics = topics,
                 .metrics = *api_metrics,
                 .clock = clock,
                 .limits = {},
                 .version = kVersion,
                 .utc_offset = config.utc_offset.value_or(SystemUtcOffset(clock.Now())),
                 .timeout_to_fail_seconds = WholeSeconds(config.timeout_to_fail)});
  TROTH_RETURN_IF_ERROR(Listen());
  TROTH_RETURN_IF_ERROR(RegisterSelf());
  manager->Start();
  return OkStatus();
}

Status Server::Parts::MakeAlertHook() {
  if (config.alert_web_hook.empty()) return OkStatus();
  const StatusOr<net::HttpUrl> url = net::ParseHttpUrl(config.alert_web_hook);
  if (!url.ok()) return InvalidArgument(Cat("AlertWebHook: ", Message(url.status())));
  alert_hook =
      std::make_unique<AlertWebHook>(*loops[0], config.alert_web_hook, config.request_timeout);
  return OkStatus();
}

Status Server::Parts::Listen() {
  net::GrpcServerOptions grpc_options;
  net::HttpServerOptions http_options;
  TROTH_ASSIGN_OR_RETURN(grpc_options.tls, ListenTls(config, "h2"));
  TROTH_ASSIGN_OR_RETURN(http_options.tls, ListenTls(config, "http/1.1"));
  grpc_server = std::make_unique<net::GrpcServer>(Pointers(loops), grpc_options);
  RegisterGrpcApi(*context, *grpc_server);
  health.Register(*grpc_server);
  health.SetServing("", true);
  health.SetServing("dtmgimp.Dtm", true);
  TROTH_RETURN_IF_ERROR(net::RegisterReflection(
      *grpc_server, GrpcApiDescriptors(), {"dtmgimp.Dtm", "grpc.health.v1.Health"}));
  router = std::make_unique<HttpRouter>(api_metrics.get());
  RegisterHttpRoutes(*context,
                     {.loops = Pointers(loops),
                      .metrics = MetricsSources(),
                      .directory = *directory,
                      .watchers = watchers,
                      .draining = draining},
                     *router);
  http_server = std::make_unique<net::HttpServer>(
      Pointers(loops), http_options, [this](std::shared_ptr<net::HttpCall> call) {
        router->Serve(std::move(call));
      });
  TROTH_RETURN_IF_ERROR(http_server->Listen(Cat(":", config.http_port)));
  TROTH_RETURN_IF_ERROR(grpc_server->Listen(Cat(":", config.grpc_port)));
  LogInfo("listening", {{"http_port", http_server->port()}, {"grpc_port", grpc_server->port()}});
  WarnOfOpenPorts(config.listen_tls);
  return OkStatus();
}

std::vector<MetricsSource> Server::Parts::MetricsSources() {
  std::vector<const CallMetrics*> calls;
  for (const auto& lane : lanes) calls.push_back(&lane->caller.metrics());
  return {
      [](MetricsText& text) {
        text.Gauge("dtm_server_info", "Always 1; what the server is made of.");
        text.Sample({{"version", kVersion}, {"gin_version", ""}, {"grpc_version", ""}}, 1);
      },
      [this](MetricsText& text) { api_metrics->Append(text); },
      [this](MetricsText& text) { AppendManagerMetrics(*manager, text); },
      [calls](MetricsText& text) { CallMetrics::Append(calls, text); },
      [this](MetricsText& text) {
        text.Gauge("troth_connections", "Open connections of clients, by listener.");
        text.Sample({{"type", "http"}}, http_server->connections());
        text.Sample({{"type", "grpc"}}, grpc_server->connections());
      },
      AppendProcessMetrics,
  };
}

Status Server::Parts::RegisterSelf() {
  if (!Registers()) return OkStatus();
  std::vector<std::string> warnings;
  ServiceInstance self;
  TROTH_ASSIGN_OR_RETURN(self.endpoints, ParseEndpoints(config.micro_service.endpoint, &warnings));
  for (const std::string& warning : warnings) LogWarn(warning);
  self.version = kVersion;
  self.metadata = {{"weight", Cat(config.micro_service.weight)}};
  directory->RegisterSelf(std::move(self));
  return OkStatus();
}

void Server::Parts::OnSignal(const boost::system::error_code& error, int signal) {
  if (error) return;
  if (draining) {
    LogWarn("second signal: ending at once; unfinished transactions resume at the next start");
    FlushLog();
    std::_Exit(128 + signal);
  }
  draining = true;
  watchers.WakeAll();
  LogInfo("signal received, draining",
          {{"signal", signal}, {"grace_s", WholeSeconds(kDrainGrace)}});
  signals->async_wait([this](const auto& next_error, int next) { OnSignal(next_error, next); });
  Drain();
}

void Server::Parts::Drain() {
  health.SetServing("", false);
  health.SetServing("dtmgimp.Dtm", false);
  if (!Registers()) return StopListening();
  // Out of the registry first, so that nobody is sent to a closed door.
  leaving = std::make_unique<net::Timer>(*loops[0], [this] { StopListening(); });
  directory->DeregisterSelf(kDeregisterTimeout, [this] { leaving->ArmAfter(kLeavingTime); });
}

void Server::Parts::StopListening() {
  const auto one_done = [this] {
    if (--waiting_for == 0) StopLoops();
  };
  waiting_for = 3;
  grpc_server->Drain(kDrainGrace, one_done);
  http_server->Drain(kDrainGrace, one_done);
  manager->Drain(kDrainGrace, *loops[0], one_done);
}

void Server::Parts::StopLoops() {
  for (const auto& loop : loops) loop->Stop();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() = default;

StatusOr<std::unique_ptr<Server>> Server::Start(Config config,
                                                bool reset_store,
                                                const ServerHooks& hooks) {
  auto parts = std::make_unique<Parts>(std::move(config), hooks);
  TROTH_RETURN_IF_ERROR(parts->Start(reset_store));
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

void Server::Run() {
  Parts& parts = *parts_;
  parts.signals = std::make_unique<boost::asio::signal_set>(parts.loops[0]->io(), SIGINT, SIGTERM);
  parts.signals->async_wait(
      [&parts](const auto& error, int signal) { parts.OnSignal(error, signal); });
  std::vector<std::thread> threads;
  for (size_t i = 1; i < parts.loops.size(); ++i) {
    threads.emplace_back([&loop = *parts.loops[i]] { loop.Run(); });
  }
  parts.loops[0]->Run();
  for (std::thread& thread : threads) thread.join();
}

void Server::Stop() {
  parts_->loops[0]->Post([parts = parts_.get()] { parts->OnSignal({}, SIGTERM); });
}

uint16_t Server::http_port() const { return parts_->http_server->port(); }

uint16_t Server::grpc_port() const { return parts_->grpc_server->port(); }

}  // namespace troth
