#include "discovery/dns_registry.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
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

using boost::asio::ip::tcp;

ServiceInstance InstanceAt(const std::string& service, const std::string& address) {
  ServiceInstance instance;
  instance.id = address;
  instance.name = service;
  instance.endpoints = {Cat("grpc://", address), Cat("http://", address)};
  return instance;
}

// Looks the names up one after the other; again after a while, and when told that what was found
// does not work.
class DnsWatch final : public Watch {
 public:
  DnsWatch(net::Loop& loop,
           const DnsTimes& times,
           std::string service,
           InstancesFn on_change,
           TroubleFn on_trouble)
      : times_(times),
        service_(std::move(service)),
        on_change_(std::move(on_change)),
        on_trouble_(std::move(on_trouble)),
        resolver_(loop.io()),
        loop_(loop),
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
    found_.clear();
    failed_ = OkStatus();
    left_.clear();
    for (std::string_view host : Split(service_, ',')) left_.emplace_back(host);
    Next();
  }

  void Next() {
    if (left_.empty()) return Done();
    const StatusOr<net::HostPort> at = net::ParseHostPort(left_.back());
    left_.pop_back();
    if (!at.ok()) return Done();
    resolver_.async_resolve(
        at->host,
        std::to_string(at->port),
        lifeline_.Guard([this, host = at->host](const boost::system::error_code& error,
                                                const tcp::resolver::results_type& results) {
          if (error) failed_ = Unavailable(Cat("cannot look up ", host, ": ", error.message()));
          for (const auto& result : results) {
            found_.push_back(net::FormatHostPort(result.endpoint().address().to_string(),
                                                 result.endpoint().port()));
          }
          Next();
        }));
  }

  void Done() {
    looking_up_ = false;
    last_end_ = loop_.turn_time();
    timer_.ArmAfter(times_.refresh);
    if (!failed_.ok()) {
      LogWarn("look-up failed", {{"service", service_}, {"error", failed_}});
      if (!told_) on_trouble_(failed_);
      if (found_.empty()) return;  // the last good answer stays
    }
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    if (told_ == found_) return;
    told_ = found_;
    std::vector<ServiceInstance> instances;
    for (const std::string& address : found_) instances.push_back(InstanceAt(service_, address));
    on_change_(instances);
  }

  const DnsTimes times_;
  const std::string service_;
  const InstancesFn on_change_;
  const TroubleFn on_trouble_;
  tcp::resolver resolver_;
  net::Loop& loop_;

  bool looking_up_ = false;
  std::chrono::steady_clock::time_point last_end_;
  std::vector<std::string> left_;   // of this look-up: names still to look up
  std::vector<std::string> found_;  // and the addresses found so far
  Status failed_;
  std::optional<std::vector<std::string>> told_;
  net::Timer timer_;
  Lifeline lifeline_;
};

class DnsRegistry final : public Registry {
 public:
  DnsRegistry(net::Loop& loop, const DnsTimes& times) : loop_(loop), times_(times) {}

  // MicroService.Target cannot name DNS, so nobody asks for this.
  void Register(ServiceInstance) override { TROTH_CHECK(false); }
  void Deregister(Duration, std::function<void()> done) override { loop_.Post(std::move(done)); }
  std::unique_ptr<Watch> WatchService(std::string name,
                                      InstancesFn on_change,
                                      TroubleFn on_trouble) override {
    return std::make_unique<DnsWatch>(
        loop_, times_, std::move(name), std::move(on_change), std::move(on_trouble));
  }
  std::string Describe() const override { return "dns (the system's resolver)"; }
  bool registered() const override { return false; }

 private:
  net::Loop& loop_;
  const DnsTimes times_;
};

}  // namespace

std::unique_ptr<Registry> MakeDnsRegistry(net::Loop& loop, const DnsTimes& times) {
  return std::make_unique<DnsRegistry>(loop, times);
}

}  // namespace troth
