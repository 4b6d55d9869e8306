#include "discovery/dns_registry.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "discovery/lifeline.h"
#include "net/host_port.h"

namespace troth {
namespace {

// Look-ups at once; others wait. A slow name server must not hold up those of another name.
constexpr size_t kLookUpThreads = 2;

ServiceInstance InstanceAt(const std::string& service, const std::string& address) {
  ServiceInstance instance;
  instance.id = address;
  instance.name = service;
  instance.endpoints = {Cat("grpc://", address), Cat("http://", address)};
  return instance;
}

// Of all names of a service together.
struct LookUpResult {
  std::vector<std::string> found;  // host:port
  std::optional<Duration> ttl;     // the shortest
  Status failed;
};

// Blocks.
LookUpResult LookUpAll(const std::string& service, const DnsSource& source) {
  LookUpResult result;
  for (const std::string_view name : Split(service, ',')) {
    const StatusOr<net::HostPort> at = net::ParseHostPort(name);
    if (!at.ok()) {
      result.failed = at.status();
      continue;
    }
    const StatusOr<DnsAnswer> answer = LookUpName(at->host, source);
    if (!answer.ok()) {
      result.failed = answer.status();
      continue;
    }
    for (const std::string& address : answer->addresses) {
      result.found.push_back(net::FormatHostPort(address, at->port));
    }
    if (answer->ttl) result.ttl = std::min(result.ttl.value_or(*answer->ttl), *answer->ttl);
  }
  std::sort(result.found.begin(), result.found.end());
  result.found.erase(std::unique(result.found.begin(), result.found.end()), result.found.end());
  return result;
}

// Looks a service's names up when the last answer is no longer good, and when told that what was
// found does not work.
class DnsWatch final : public Watch {
 public:
  DnsWatch(net::Loop& loop,
           boost::asio::thread_pool& threads,
           const DnsTimes& times,
           const DnsSource& source,
           std::string service,
           InstancesFn on_change,
           TroubleFn on_trouble)
      : times_(times),
        source_(source),
        service_(std::move(service)),
        on_change_(std::move(on_change)),
        on_trouble_(std::move(on_trouble)),
        loop_(loop),
        threads_(threads),
        timer_(loop, [this] { LookUp(); }) {
    LookUp();
  }

  void Refresh() override {
    if (looking_up_) return;
    const auto since = std::chrono::duration_cast<Duration>(loop_.turn_time() - last_end_);
    timer_.ArmAfter(std::max(times_.pause - since, Duration::zero()));
  }

 private:
  void LookUp() {
    looking_up_ = true;
    auto done = lifeline_.Guard([this](const LookUpResult& result) { OnResult(result); });
    boost::asio::post(
        threads_, [&loop = loop_, service = service_, source = source_, done]() mutable {
          loop.Post([done, result = LookUpAll(service, source)]() mutable { done(result); });
        });
  }

  void OnResult(const LookUpResult& result) {
    looking_up_ = false;
    last_end_ = loop_.turn_time();
    timer_.ArmAfter(UntilNext(result));
    if (!result.failed.ok()) {
      LogWarn("look-up failed", {{"service", service_}, {"error", result.failed}});
      if (!told_) on_trouble_(result.failed);
      if (result.found.empty()) return;  // the last good answer stays
    }
    if (told_ == result.found) return;
    told_ = result.found;
    std::vector<ServiceInstance> instances;
    for (const std::string& address : *told_) instances.push_back(InstanceAt(service_, address));
    on_change_(instances);
  }

  Duration UntilNext(const LookUpResult& result) const {
    if (!result.failed.ok()) return times_.retry;
    if (!result.ttl) return times_.refresh;
    return std::clamp(*result.ttl, times_.ttl_min, times_.ttl_max);
  }

  const DnsTimes times_;
  const DnsSource source_;
  const std::string service_;
  const InstancesFn on_change_;
  const TroubleFn on_trouble_;
  net::Loop& loop_;
  boost::asio::thread_pool& threads_;

  bool looking_up_ = false;
  std::chrono::steady_clock::time_point last_end_;
  std::optional<std::vector<std::string>> told_;
  net::Timer timer_;
  Lifeline lifeline_;
};

class DnsRegistry final : public Registry {
 public:
  DnsRegistry(net::Loop& loop, const DnsTimes& times, DnsSource source)
      : loop_(loop), times_(times), source_(std::move(source)) {}

  // MicroService.Target cannot name DNS, so nobody asks for this.
  void Register(ServiceInstance) override { TROTH_CHECK(false); }
  void Deregister(Duration, std::function<void()> done) override { loop_.Post(std::move(done)); }
  std::unique_ptr<Watch> WatchService(std::string name,
                                      InstancesFn on_change,
                                      TroubleFn on_trouble) override {
    return std::make_unique<DnsWatch>(loop_,
                                      threads_,
                                      times_,
                                      source_,
                                      std::move(name),
                                      std::move(on_change),
                                      std::move(on_trouble));
  }
  std::string Describe() const override { return "dns (the system's resolver)"; }
  bool registered() const override { return false; }

 private:
  net::Loop& loop_;
  const DnsTimes times_;
  const DnsSource source_;
  boost::asio::thread_pool threads_{kLookUpThreads};  // its end waits for look-ups under way
};

}  // namespace

std::unique_ptr<Registry> MakeDnsRegistry(net::Loop& loop,
                                          const DnsTimes& times,
                                          DnsSource source) {
  return std::make_unique<DnsRegistry>(loop, times, std::move(source));
}

}  // namespace troth
