// bench_msg: two-branch messages by gRPC with WaitResult against a server on one core, embedded
// store, sync on. This program plays the client and both services on another core. Closed loop: so
// many submits are always open.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "bench/latencies.h"
#include "bench/server_process.h"
#include "net/grpc_client.h"
#include "net/grpc_server.h"
#include "net/loop.h"

namespace troth::bench {
namespace {

struct Options {
  std::string binary = "build/release/troth";
  std::string target;  // measure a server that runs already; without CPU and memory then
  std::string directory = "build/bench-msg";
  int in_flight = 64;
  int connections = 2;  // as from two processes
  double warmup_seconds = 2;
  double seconds = 10;
  int server_core = 0;
  int client_core = 1;
  bool json = false;
};

void AppendField(std::string& out, int number, std::string_view bytes) {
  out += static_cast<char>(number << 3 | 2);
  for (size_t size = bytes.size(); true; size >>= 7) {
    if (size < 128) {
      out += static_cast<char>(size);
      break;
    }
    out += static_cast<char>((size & 127) | 128);
  }
  out += bytes;
}

// A DtmRequest without its gid (proto/dtmgimp.proto), which is put before it for each call.
std::string RequestTail(uint16_t service_port) {
  const std::string service = Cat("127.0.0.1:", service_port, "/api.trans.v1.Trans/");
  std::string out;
  AppendField(out, 2, "msg");
  AppendField(out, 3, std::string("\x08\x01", 2));          // TransOptions{WaitResult: true}
  AppendField(out, 5, std::string("\x08\x1e\x10\x01", 4));  // AdjustInfo{30, 1}
  AppendField(out, 5, std::string("\x08\x1e\x10\x02", 4));
  AppendField(
      out,
      7,
      Cat(R"([{"action":")", service, R"(TransOut"},{"action":")", service, R"(TransIn"}])"));
  return out;
}

// Keeps `in_flight` submits open and counts what comes back.
class Client {
 public:
  Client(net::Loop& loop, const Options& options, const std::string& server, std::string tail)
      : in_flight_(options.in_flight), tail_(std::move(tail)), random_(Random::FromDevice()) {
    run_ = NewGid(random_);
    for (int i = 0; i < options.connections; ++i) {
      channels_.push_back(net::Channel::Make(loop, server, {}));
    }
  }

  ~Client() {
    stopped_ = true;  // the channels end what is open, which must not be submitted anew
    channels_.clear();
  }

  void Begin() {
    for (int i = 0; i < in_flight_; ++i) SubmitOne();
  }
  void Clear() {
    latencies.Clear();
    failed = 0;
  }

  Latencies latencies;
  uint64_t failed = 0;
  std::string first_error;

 private:
  void SubmitOne() {
    std::string message;
    AppendField(message, 1, Cat(run_, "-", next_));
    message += tail_;
    const auto start = std::chrono::steady_clock::now();
    channels_[next_++ % channels_.size()]->Unary(
        {.path = "/dtmgimp.Dtm/Submit", .metadata = {}, .message = message, .timeout = Seconds(30)},
        [this, start](const net::UnaryResult& result) { OnAnswer(start, result.status); });
  }

  void OnAnswer(std::chrono::steady_clock::time_point start, const net::GrpcStatus& status) {
    if (stopped_) return;
    latencies.Add(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start));
    if (!status.ok() && failed++ == 0) first_error = net::GrpcErrorText(status);
    SubmitOne();
  }

  const int in_flight_;
  const std::string tail_;
  Random random_;
  std::string run_;
  uint64_t next_ = 0;
  bool stopped_ = false;
  std::vector<std::shared_ptr<net::Channel>> channels_;
};

Duration FromSeconds(double seconds) { return Duration(static_cast<int64_t>(seconds * 1e6)); }

struct Figures {
  double seconds = 0;
  uint64_t transactions = 0;
  uint64_t failed = 0;
  uint64_t branch_calls = 0;
  double cpu_micros_per_tx = 0;
  double client_cpu_micros_per_tx = 0;
  double bytes_per_tx = 0;
  uint64_t resident_bytes = 0;
  Duration p50{}, p90{}, p99{}, p999{};
};

void PrintTable(const Options& options, const Figures& f) {
  std::printf("two-branch msg, gRPC, WaitResult, %d in flight, %.1f s, server on core %d\n",
              options.in_flight,
              f.seconds,
              options.server_core);
  std::printf("  transactions/s      %10.0f\n", static_cast<double>(f.transactions) / f.seconds);
  std::printf("  server CPU us/tx    %10.1f\n", f.cpu_micros_per_tx);
  std::printf("  client CPU us/tx    %10.1f\n", f.client_cpu_micros_per_tx);
  std::printf("  latency us          p50 %lld  p90 %lld  p99 %lld  p99.9 %lld\n",
              static_cast<long long>(f.p50.count()),
              static_cast<long long>(f.p90.count()),
              static_cast<long long>(f.p99.count()),
              static_cast<long long>(f.p999.count()));
  std::printf("  disk bytes/tx       %10.0f\n", f.bytes_per_tx);
  std::printf("  resident MB         %10.1f\n", static_cast<double>(f.resident_bytes) / 1e6);
  std::printf("  branch calls/tx     %10.3f\n",
              static_cast<double>(f.branch_calls) / static_cast<double>(f.transactions));
  std::printf("  failed              %10llu\n", static_cast<unsigned long long>(f.failed));
}

void PrintJson(const Options& options, const Figures& f) {
  std::printf(
      "{\"bench\":\"msg\",\"in_flight\":%d,\"tx_per_s\":%.0f,\"cpu_us_per_tx\":%.2f,"
      "\"client_cpu_us_per_tx\":%.2f,\"p50_us\":%lld,\"p99_us\":%lld,\"bytes_per_tx\":%.0f,"
      "\"rss_bytes\":%llu,\"failed\":%llu}\n",
      options.in_flight,
      static_cast<double>(f.transactions) / f.seconds,
      f.cpu_micros_per_tx,
      f.client_cpu_micros_per_tx,
      static_cast<long long>(f.p50.count()),
      static_cast<long long>(f.p99.count()),
      f.bytes_per_tx,
      static_cast<unsigned long long>(f.resident_bytes),
      static_cast<unsigned long long>(f.failed));
}

Duration OwnCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return Seconds(time.tv_sec) + Duration(time.tv_nsec / 1000);
}

// What is read at the start and at the end of the measured time.
struct Sample {
  std::chrono::steady_clock::time_point at;
  Duration own_cpu{};
  uint64_t branch_calls = 0;
  Usage server;
};

Figures Compare(const Sample& begin, const Sample& end, const Client& client) {
  Figures f;
  f.seconds = std::chrono::duration<double>(end.at - begin.at).count();
  f.transactions = client.latencies.count();
  f.failed = client.failed;
  f.branch_calls = end.branch_calls - begin.branch_calls;
  const auto count = static_cast<double>(f.transactions);
  f.cpu_micros_per_tx = static_cast<double>((end.server.cpu - begin.server.cpu).count()) / count;
  f.client_cpu_micros_per_tx = static_cast<double>((end.own_cpu - begin.own_cpu).count()) / count;
  f.bytes_per_tx =
      static_cast<double>(end.server.written_bytes - begin.server.written_bytes) / count;
  f.resident_bytes = end.server.resident_bytes;
  f.p50 = client.latencies.Percentile(0.5);
  f.p90 = client.latencies.Percentile(0.9);
  f.p99 = client.latencies.Percentile(0.99);
  f.p999 = client.latencies.Percentile(0.999);
  return f;
}

Figures Run(const Options& options, const std::string& target, const ServerProcess* server) {
  net::Loop loop;
  uint64_t branch_calls = 0;
  net::GrpcServer services({&loop}, {});
  for (const char* path : {"/api.trans.v1.Trans/TransOut", "/api.trans.v1.Trans/TransIn"}) {
    services.AddUnary(path, [&](std::shared_ptr<net::ServerCall> call, const std::string&) {
      ++branch_calls;
      call->FinishOk({});
    });
  }
  const Status listening = services.Listen("127.0.0.1:0");
  if (!listening.ok()) std::fprintf(stderr, "%s\n", std::string(Message(listening)).c_str());
  Client client(loop, options, target, RequestTail(services.port()));
  const auto sample = [&] {
    return Sample{.at = std::chrono::steady_clock::now(),
                  .own_cpu = OwnCpu(),
                  .branch_calls = branch_calls,
                  .server = server != nullptr ? server->Measure() : Usage{}};
  };
  Sample begin;
  Figures figures;
  net::Timer end_timer(loop, [&] {
    figures = Compare(begin, sample(), client);
    loop.Stop();
  });
  net::Timer begin_timer(loop, [&] {
    client.Clear();
    begin = sample();
    end_timer.ArmAfter(FromSeconds(options.seconds));
  });
  loop.Post([&] {
    client.Begin();
    begin_timer.ArmAfter(FromSeconds(options.warmup_seconds));
  });
  loop.Run();
  if (figures.failed > 0) std::fprintf(stderr, "first error: %s\n", client.first_error.c_str());
  return figures;
}

int Main(const Options& options) {
  PinToCores({options.client_core});
  std::unique_ptr<ServerProcess> server;
  std::string target = options.target;
  if (target.empty()) {
    const uint16_t grpc_port = FreePort();
    target = Cat("127.0.0.1:", grpc_port);
    StatusOr<ServerProcess> started = ServerProcess::Start({.binary = options.binary,
                                                            .directory = options.directory,
                                                            .cores = {options.server_core},
                                                            .http_port = FreePort(),
                                                            .grpc_port = grpc_port});
    if (!started.ok()) {
      std::fprintf(stderr, "%s\n", std::string(Message(started.status())).c_str());
      return 1;
    }
    server = std::make_unique<ServerProcess>(*std::move(started));
  }
  const Figures figures = Run(options, target, server.get());
  options.json ? PrintJson(options, figures) : PrintTable(options, figures);
  return figures.failed == 0 && figures.transactions > 0 ? 0 : 1;
}

}  // namespace
}  // namespace troth::bench

int main(int argc, char** argv) {
  troth::bench::Options options;
  CLI::App app("Two-branch messages against one server core");
  app.add_option("--binary", options.binary, "the server to start")->capture_default_str();
  app.add_option("--target", options.target, "a running server instead, host:port");
  app.add_option("--dir", options.directory, "store of the started server")->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "open submits")->capture_default_str();
  app.add_option("--connections", options.connections, "to the server")->capture_default_str();
  app.add_option("--warmup", options.warmup_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", options.seconds, "measured")->capture_default_str();
  app.add_option("--server-core", options.server_core)->capture_default_str();
  app.add_option("--client-core", options.client_core)->capture_default_str();
  app.add_flag("--json", options.json, "one line of JSON");
  CLI11_PARSE(app, argc, argv);
  return troth::bench::Main(options);
}
