#include "api/api_metrics.h"

#include "base/check.h"
#include "base/text.h"

namespace troth {

std::string RouteLabel(std::string_view path) {
  std::string label;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == "api" || part == "dtmsvr" || part == "*") continue;
    CatTo(label, label.empty() ? "" : "/", ToLower(part));
  }
  return label;
}

ApiMetrics::ApiMetrics(const std::vector<net::Loop*>& loops) {
  for (const net::Loop* loop : loops) tables_[loop] = std::make_unique<Table>();
}

uint32_t ApiMetrics::AddRoute(std::string_view type, std::string_view label) {
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (routes_[i].type == type && routes_[i].label == label) return static_cast<uint32_t>(i);
  }
  TROTH_CHECK(routes_.size() < kRoutesMax);
  routes_.push_back({std::string(type), std::string(label)});
  return static_cast<uint32_t>(routes_.size() - 1);
}

void ApiMetrics::OnAnswered(net::Loop& loop, uint32_t tag, bool ok, Duration took) {
  const auto table = tables_.find(&loop);
  TROTH_CHECK(table != tables_.end());
  RouteCounters& counters = (*table->second)[tag];
  (ok ? counters.ok : counters.fail).Add();
  counters.took.Add(took);
}

void ApiMetrics::Append(MetricsText& text) const {
  const auto sum = [this](size_t route, auto&& read) {
    for (const auto& [loop, table] : tables_) read((*table)[route]);
  };
  text.Counter("dtm_server_process_total", "Answered requests; fail: an error or not finished.");
  for (size_t i = 0; i < routes_.size(); ++i) {
    const auto& [type, label] = routes_[i];
    uint64_t ok = 0;
    uint64_t fail = 0;
    sum(i, [&](const RouteCounters& one) {
      ok += one.ok.value();
      fail += one.fail.value();
    });
    if (ok > 0) text.Sample({{"type", type}, {"api", label}, {"status", "ok"}}, ok);
    if (fail > 0) text.Sample({{"type", type}, {"api", label}, {"status", "fail"}}, fail);
  }
  text.Histogram("dtm_server_response_duration", "Time from request to answer in seconds.");
  for (size_t i = 0; i < routes_.size(); ++i) {
    DurationCounts took;
    uint64_t answered = 0;
    sum(i, [&](const RouteCounters& one) {
      took += one.took.counts();
      answered += one.ok.value() + one.fail.value();
    });
    if (answered == 0) continue;
    text.SampleDurations({{"type", routes_[i].type}, {"api", routes_[i].label}}, took);
  }
}

}  // namespace troth
