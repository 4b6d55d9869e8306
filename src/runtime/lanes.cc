#include "runtime/lanes.h"

#include <algorithm>
#include <utility>

#include "caller/call_metrics.h"

namespace troth {

std::optional<Duration> Lanes::Refuses(std::string_view url, std::string_view gid, TimePoint now) {
  const auto found = lanes_.find(EndpointOf(url));
  if (found == lanes_.end() || !found->second.open) return std::nullopt;
  Lane& lane = found->second;
  const bool clock_was_set_back = lane.next_probe > now + options_.probe_patience;
  if (now >= lane.next_probe || clock_was_set_back) {
    lane.probing = true;
    lane.next_probe = now + options_.probe_patience;
    return std::nullopt;
  }
  Remember(lane, gid);
  return HoldOf(lane);
}

// One after the other: as each comes back only to be held again, they stay apart.
Duration Lanes::HoldOf(const Lane& lane) const {
  return Seconds(1) * lane.waiting.size() / options_.held_back_per_second;
}

bool Lanes::OnUnreachable(std::string_view url, std::string_view gid, TimePoint now) {
  const std::string_view endpoint = EndpointOf(url);
  auto found = lanes_.find(endpoint);
  if (found == lanes_.end()) {
    if (lanes_.size() >= options_.lanes_max) {
      ++forgotten_;
      return false;
    }
    found = lanes_.emplace(endpoint, Lane{}).first;
  }
  Lane& lane = found->second;
  Remember(lane, gid);
  if (lane.open) {
    // Calls that were under way when the circuit opened say nothing new.
    if (!std::exchange(lane.probing, false)) return false;
    lane.probe_interval = std::min(lane.probe_interval * 2, options_.probe_interval_max);
    lane.next_probe = now + lane.probe_interval;
    return false;
  }
  if (++lane.unreachable_in_row < options_.open_after) return false;
  ++open_;
  lane.open = true;
  lane.next_wake.reset();
  lane.probe_interval = options_.probe_interval;
  lane.next_probe = now + lane.probe_interval;
  return true;
}

bool Lanes::OnAnswered(std::string_view url, TimePoint now) {
  const auto found = lanes_.find(EndpointOf(url));
  if (found == lanes_.end()) return false;
  Lane& lane = found->second;
  lane.unreachable_in_row = 0;
  const bool was_open = lane.open;
  if (was_open) Close(lane, now);
  if (!lane.next_wake) lane.waiting.clear();
  if (IsDone(lane, now)) lanes_.erase(found);
  return was_open;
}

void Lanes::Close(Lane& lane, TimePoint now) {
  --open_;
  lane.open = false;
  lane.probing = false;
  if (lane.quiet_until && now < *lane.quiet_until) return;
  lane.next_wake = now;
  lane.quiet_until = now + options_.wake_pause;
}

bool Lanes::IsDone(const Lane& lane, TimePoint now) {
  const bool quiet = lane.quiet_until && now < *lane.quiet_until;
  return !lane.open && !lane.next_wake && !quiet && lane.unreachable_in_row == 0;
}

std::vector<std::string> Lanes::TakeDue(TimePoint now) {
  std::vector<std::string> due;
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    const auto here = it++;
    TakeDueOf(here->second, now, due);
    if (IsDone(here->second, now)) lanes_.erase(here);
  }
  return due;
}

void Lanes::TakeDueOf(Lane& lane, TimePoint now, std::vector<std::string>& due) {
  const std::optional<TimePoint> at = DueOf(lane);
  if (!at || *at > now) return;
  size_t count = 0;
  if (lane.next_wake) {
    count = options_.wake_step;
    lane.next_wake = now + options_.wake_interval;
  } else if (lane.open) {
    count = 1;  // the call it makes is the probe
    lane.next_probe_wake = now + lane.probe_interval;
  }
  for (; count > 0 && !lane.waiting.empty(); --count) {
    due.push_back(std::move(lane.waiting.extract(lane.waiting.begin()).value()));
  }
  if (lane.waiting.empty()) lane.next_wake.reset();
}

std::optional<TimePoint> Lanes::DueOf(const Lane& lane) {
  if (lane.next_wake) return lane.next_wake;
  if (!lane.open) return lane.quiet_until;
  if (lane.waiting.empty()) return std::nullopt;
  return std::max(lane.next_probe, lane.next_probe_wake);
}

std::optional<TimePoint> Lanes::NextDue() const {
  std::optional<TimePoint> next;
  for (const auto& [endpoint, lane] : lanes_) {
    const std::optional<TimePoint> due = DueOf(lane);
    if (due && (!next || *due < *next)) next = due;
  }
  return next;
}

size_t Lanes::waiting() const {
  size_t waiting = 0;
  for (const auto& [endpoint, lane] : lanes_) waiting += lane.waiting.size();
  return waiting;
}

void Lanes::Remember(Lane& lane, std::string_view gid) {
  if (lane.waiting.size() >= options_.waiting_max) {
    ++forgotten_;
    return;
  }
  lane.waiting.emplace(gid);
}

}  // namespace troth
