#pragma once
// The least a durable two-branch message takes on this machine: the six messages between a
// coordinator on one core and its client and services on another, each write made durable before
// what depends on it, and nothing else: no HTTP, no transactions, no store. What a real server
// takes beyond it is its own.

#include <cstdint>
#include <string>

#include "base/status.h"
#include "base/time.h"

namespace troth::bench {

struct ExchangeOptions {
  uint32_t in_flight = 1;
  double seconds = 2;
  std::string directory;  // for the log; must exist
  int coordinator_core = 0;
  int peer_core = 1;
};

struct ExchangeFigures {
  uint64_t transactions = 0;
  double seconds = 0;
  Duration p50{};
  Duration coordinator_cpu{};  // of all transactions
  uint64_t syncs = 0;
};

// Takes options.seconds. Two threads of its own.
StatusOr<ExchangeFigures> RunExchange(const ExchangeOptions& options);

}  // namespace troth::bench
