#include "caller/call_metrics.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace troth {
namespace {

constexpr std::string_view kOther = "other";

std::string BranchIdLabel(size_t number) {
  if (number > kBranchIdsMax) return std::string(kOther);
  return number < 10 ? Cat("0", number) : Cat(number);
}

// One endpoint over all loops.
struct EndpointSum {
  std::array<uint64_t, kBranchOutcomes> outcomes{};
  uint64_t started = 0;
  DurationCounts took;
  bool answers = false;  // to any loop

  void Add(const EndpointMetrics& endpoint) {
    for (size_t i = 0; i < kBranchOutcomes; ++i) outcomes[i] += endpoint.outcomes[i].value();
    started += endpoint.started.value();
    took += endpoint.took.counts();
    answers |= endpoint.answers.load(std::memory_order_relaxed);
  }
  uint64_t InFlight() const {
    uint64_t ended = 0;
    for (const uint64_t count : outcomes) ended += count;
    return started > ended ? started - ended : 0;
  }
};

}  // namespace

std::string_view EndpointOf(std::string_view url) {
  const auto ends_path = [](char c) { return c == '?' || c == '#'; };
  url = std::string_view(url.begin(), std::find_if(url.begin(), url.end(), ends_path));
  const size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end == url.npos ? 0 : scheme_end);
  if (scheme == "http" || scheme == "https") {
    const size_t host = scheme_end + 3;
    return url.substr(0, url.find('/', host));
  }
  // A gRPC target is what stands before "/package.Service/Method".
  const size_t method = url.rfind('/');
  if (method == url.npos || method == 0) return url;
  const size_t service = url.rfind('/', method - 1);
  return service == url.npos ? url : url.substr(0, service);
}

CallMetrics::CallMetrics() {
  endpoints_[0] = std::make_unique<EndpointMetrics>(std::string(kOther));
  endpoint_count_.store(1, std::memory_order_release);
}

EndpointMetrics& CallMetrics::Endpoint(std::string_view url) {
  const std::string_view name = EndpointOf(url);
  if (const auto found = by_name_.find(name); found != by_name_.end()) return *found->second;
  const size_t count = endpoint_count_.load(std::memory_order_relaxed);
  if (count == endpoints_.size()) return *endpoints_[0];
  endpoints_[count] = std::make_unique<EndpointMetrics>(std::string(name));
  EndpointMetrics& added = *endpoints_[count];
  by_name_.emplace(added.name, &added);
  endpoint_count_.store(count + 1, std::memory_order_release);
  return added;
}

size_t CallMetrics::BranchNumber(std::string_view branch_id) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (branch_id.size() != 2 || !digit(branch_id[0]) || !digit(branch_id[1])) {
    return kBranchNumbers - 1;
  }
  const auto number = static_cast<size_t>((branch_id[0] - '0') * 10 + (branch_id[1] - '0'));
  return std::min(number, kBranchNumbers - 1);
}

size_t CallMetrics::BranchIndex(TransType type, BranchOp op, size_t number, bool ok) {
  const size_t kind = static_cast<size_t>(type) * kBranchOps + static_cast<size_t>(op);
  return (kind * kBranchNumbers + number) * 2 + (ok ? 1 : 0);
}

void CallMetrics::Append(const std::vector<const CallMetrics*>& loops, MetricsText& text) {
  AppendBranches(loops, text);
  AppendEndpoints(loops, text);
}

void CallMetrics::AppendBranches(const std::vector<const CallMetrics*>& loops, MetricsText& text) {
  text.Counter("dtm_branch_process_total", "Calls of branches, ok: the branch succeeded.");
  for (size_t at = 0; at < kTransTypes * kBranchOps * kBranchNumbers * 2; ++at) {
    uint64_t count = 0;
    for (const CallMetrics* loop : loops) count += loop->branches_[at].value();
    if (count == 0) continue;
    const size_t number = at / 2 % kBranchNumbers;
    const size_t kind = at / 2 / kBranchNumbers;
    text.Sample({{"model", WireName(static_cast<TransType>(kind / kBranchOps))},
                 {"branchid", BranchIdLabel(number)},
                 {"branchtype", WireName(static_cast<BranchOp>(kind % kBranchOps))},
                 {"status", at % 2 == 1 ? "ok" : "fail"}},
                count);
  }
}

void CallMetrics::ForEachEndpoint(auto&& visit) const {
  const size_t count = endpoint_count_.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; ++i) {
    if (endpoints_[i]->started.value() > 0) visit(*endpoints_[i]);
  }
}

void CallMetrics::AppendEndpoints(const std::vector<const CallMetrics*>& loops, MetricsText& text) {
  std::map<std::string_view, EndpointSum> sums;
  for (const CallMetrics* loop : loops) {
    loop->ForEachEndpoint([&](const EndpointMetrics& one) { sums[one.name].Add(one); });
  }
  text.Counter("troth_endpoint_calls_total", "Ended calls of an endpoint, by outcome.");
  for (const auto& [name, sum] : sums) {
    for (size_t i = 0; i < kBranchOutcomes; ++i) {
      if (sum.outcomes[i] == 0) continue;
      const std::string_view outcome = OutcomeName(static_cast<BranchOutcome>(i));
      text.Sample({{"endpoint", name}, {"outcome", outcome}}, sum.outcomes[i]);
    }
  }
  text.Gauge("troth_endpoint_in_flight", "Open calls of an endpoint.");
  for (const auto& [name, sum] : sums) text.Sample({{"endpoint", name}}, sum.InFlight());
  text.Gauge("troth_endpoint_up", "0 while the last call of every loop had no clear answer.");
  for (const auto& [name, sum] : sums) text.Sample({{"endpoint", name}}, sum.answers ? 1 : 0);
  text.Histogram("troth_endpoint_call_duration", "Duration of calls in seconds.");
  for (const auto& [name, sum] : sums) text.SampleDurations({{"endpoint", name}}, sum.took);
}

}  // namespace troth
