#pragma once
// What one loop's branch calls came to, by kind of branch and by endpoint. Label values are
// bounded: branch ids and endpoints beyond a fixed number are counted together as "other".

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/counter.h"
#include "engine/action.h"
#include "metrics/metrics_text.h"

namespace troth {

// Branch ids "01" to "16" have a series of their own.
inline constexpr size_t kBranchIdsMax = 16;
// Endpoints with series of their own, for each loop.
inline constexpr size_t kEndpointsMax = 256;

// Whom a branch URL calls: "http://host:port", or a gRPC target such as "host:port" or
// "discovery:///service". A view into the URL.
std::string_view EndpointOf(std::string_view url);

// One service as this loop sees it.
struct EndpointMetrics {
  explicit EndpointMetrics(std::string endpoint) : name(std::move(endpoint)) {}
  const std::string name;
  std::array<Counter, kBranchOutcomes> outcomes;  // by BranchOutcome
  Counter started;
  DurationHistogram took;
  // 0 while the last call ended without an answer that says anything.
  std::atomic<bool> answers{true};
};

class CallMetrics {
 public:
  CallMetrics();

  // The loop's thread. The endpoint stays where it is for good.
  EndpointMetrics& Endpoint(std::string_view url);
  Counter& Branch(const Call& call, bool ok) {
    return branches_[BranchIndex(call.txn->type, call.op, BranchNumber(call.branch_id), ok)];
  }

  // Any thread: the families of all loops' calls together.
  static void Append(const std::vector<const CallMetrics*>& loops, MetricsText& text);

 private:
  static constexpr size_t kBranchNumbers = kBranchIdsMax + 2;  // 0: "00"; the last: "other"

  static size_t BranchNumber(std::string_view branch_id);
  static size_t BranchIndex(TransType type, BranchOp op, size_t number, bool ok);
  static void AppendBranches(const std::vector<const CallMetrics*>& loops, MetricsText& text);
  static void AppendEndpoints(const std::vector<const CallMetrics*>& loops, MetricsText& text);
  void ForEachEndpoint(auto&& visit) const;

  std::array<Counter, kTransTypes * kBranchOps * kBranchNumbers * 2> branches_;
  // Only ever appended to, in place: other threads read the first `endpoint_count_`.
  std::array<std::unique_ptr<EndpointMetrics>, kEndpointsMax + 1> endpoints_;
  std::atomic<size_t> endpoint_count_{0};
  absl::flat_hash_map<std::string_view, EndpointMetrics*> by_name_;  // the loop's thread
};

}  // namespace troth
