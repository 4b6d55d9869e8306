#pragma once
// Runs transactions of a scenario over connections to a server: as many as its pacer lets start,
// each step by step, every answer checked.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "bench/load/pacer.h"
#include "bench/load/scenario.h"
#include "bench/measure/latencies.h"
#include "bench/transport/client.h"
#include "bench/transport/event_loop.h"

namespace troth::bench {

class Driver final : public ClientListener {
 public:
  // Scenario and loop outlive it, and it outlives the loop's run.
  Driver(const Scenario& scenario, EventLoop& loop);

  // Connects so many times.
  Status Connect(const std::string& host_port, int connections);

  void set_pacer(Pacer pacer) { pacer_ = pacer; }
  // Starts what may start; returns when there will be more to do at the latest.
  SteadyTime OnTurn();
  // Starts nothing any more; open() falls to zero as answers come.
  void Drain() { draining_ = true; }

  // Forgets what was counted so far.
  void Clear();
  const Latencies& latencies() const { return latencies_; }
  uint64_t ended() const { return ended_; }
  uint64_t failed() const { return failed_; }
  uint64_t open() const { return open_; }
  // Of the first unexpected answer, or the connection that was lost; empty when there was none.
  const std::string& first_error() const { return first_error_; }
  bool lost_connection() const { return lost_connection_; }

 private:
  struct Transaction {
    std::string gid;
    SteadyTime begun;
    size_t step = 0;  // whose answer is waited for
  };

  void OnAnswer(const Answer& answer) override;
  void OnClientLost(const Status& why) override;
  bool StartOne(SteadyTime now);
  Client* ReadyClient(size_t request);
  void SendWaiting();
  void End(uint32_t tag);
  void FillGid(std::string& gid);

  const Scenario& scenario_;
  EventLoop& loop_;
  std::vector<Request> requests_;
  std::vector<std::unique_ptr<Client>> clients_;
  size_t next_client_ = 0;
  Pacer pacer_ = Pacer::Closed(1);
  bool draining_ = false;
  std::vector<Transaction> transactions_;  // by tag
  std::vector<uint32_t> free_tags_;
  std::vector<uint32_t> waiting_;  // between two steps, sent at the end of the turn
  uint64_t open_ = 0;
  uint64_t ended_ = 0;
  uint64_t failed_ = 0;
  Latencies latencies_;
  std::string first_error_;
  bool lost_connection_ = false;
  Random random_ = Random::FromDevice();
};

}  // namespace troth::bench
