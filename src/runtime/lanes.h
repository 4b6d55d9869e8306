#pragma once
// Endpoints that do not answer, and the transactions that wait for them.
//
// After kOpenAfter calls in a row that reached nobody an endpoint's circuit is open: further calls
// are refused at once, so that a dead service holds up nobody, except one probe at a time. The
// first answer, whatever it says, closes the circuit, and everything that waited is woken in steps
// instead of sitting out its backoff; at most once in wake_pause, so that an endpoint that comes
// and goes is no way around the backoff.
//
// Pure: no clock, no thread. Knows only endpoints in trouble, so that it costs nothing while there
// are none.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace troth {

struct LaneOptions {
  // One lost connection is no dead service; five in a row without an answer between them are.
  int open_after = 5;
  // Between probes of an open circuit: the first, doubled each time up to the longest.
  Duration probe_interval = Seconds(1);
  Duration probe_interval_max = Seconds(15);
  // When another probe may leave although the last one was not heard of: its transaction may have
  // been given up meanwhile. Not below probe_interval_max.
  Duration probe_patience = Seconds(30);
  // Transactions woken at once when an endpoint is back, and the pause until the next ones: a
  // service that has just started is not flooded.
  size_t wake_step = 100;
  Duration wake_interval = std::chrono::milliseconds(10);
  Duration wake_pause = Seconds(15);
  // Transactions remembered for one endpoint; later ones come back by their backoff alone.
  size_t waiting_max = 100000;
  // How many of them come back by their backoff in a second, so that a hundred thousand who wait
  // for a dead service do not all try again at once, again and again, at the cost of others.
  size_t held_back_per_second = 400;
  // Endpoints in trouble known at once; calls to further ones are simply made.
  size_t lanes_max = 10000;
};

class Lanes {
 public:
  explicit Lanes(LaneOptions options = {}) : options_(options) {}

  // Nothing, or the call is refused because nobody answers there; the transaction is woken later
  // then, and need not try by itself for so long.
  std::optional<Duration> Refuses(std::string_view url, std::string_view gid, TimePoint now);
  // A call reached nobody. Returns true when this opened the circuit.
  bool OnUnreachable(std::string_view url, std::string_view gid, TimePoint now);
  // A call was answered. Returns true when this closed a circuit.
  bool OnAnswered(std::string_view url, TimePoint now);

  // Transactions to be tried now. Called when NextDue has come.
  std::vector<std::string> TakeDue(TimePoint now);
  std::optional<TimePoint> NextDue() const;

  bool empty() const { return lanes_.empty(); }
  size_t open() const { return open_; }
  size_t waiting() const;
  uint64_t forgotten() const { return forgotten_; }  // beyond waiting_max or lanes_max

 private:
  struct Lane {
    int unreachable_in_row = 0;
    bool open = false;
    bool probing = false;  // a call was let through
    Duration probe_interval{};
    TimePoint next_probe{};
    TimePoint next_probe_wake{};
    std::set<std::string, std::less<>> waiting;
    std::optional<TimePoint> next_wake;    // it has answered; the next step of waking
    std::optional<TimePoint> quiet_until;  // it has woken who waited
  };
  // Ordered, as `waiting` is: the order of waking must not depend on the process.
  using Map = std::map<std::string, Lane, std::less<>>;

  void Remember(Lane& lane, std::string_view gid);
  Duration HoldOf(const Lane& lane) const;
  void Close(Lane& lane, TimePoint now);
  void TakeDueOf(Lane& lane, TimePoint now, std::vector<std::string>& due);
  static bool IsDone(const Lane& lane, TimePoint now);
  static std::optional<TimePoint> DueOf(const Lane& lane);

  const LaneOptions options_;
  Map lanes_;
  size_t open_ = 0;
  uint64_t forgotten_ = 0;
};

}  // namespace troth
