#include "bench/load/driver.h"

#include <utility>

#include "base/text.h"
#include "bench/transport/grpc_client.h"
#include "bench/transport/http1_client.h"

namespace troth::bench {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

Driver::Driver(const Scenario& scenario, EventLoop& loop) : scenario_(scenario), loop_(loop) {
  for (const ScenarioCall& call : scenario.calls) requests_.push_back(call.request);
}

Status Driver::Connect(const std::string& host_port, int connections) {
  for (int i = 0; i < connections; ++i) {
    if (scenario_.wire == Wire::kGrpc) {
      clients_.push_back(std::make_unique<GrpcClient>(requests_, host_port, *this));
    } else {
      clients_.push_back(std::make_unique<Http1Client>(requests_, host_port, *this));
    }
    TROTH_RETURN_IF_ERROR(loop_.Connect(host_port, clients_.back()->protocol()));
  }
  return OkStatus();
}

SteadyTime Driver::OnTurn() {
  SendWaiting();
  const SteadyTime now = Now();
  while (StartOne(now)) {
  }
  return pacer_.NextAt(now);
}

// What could not be started yet is not forgotten: the pacer hands it out again.
bool Driver::StartOne(SteadyTime now) {
  if (draining_ || lost_connection_) return false;
  Client* client = ReadyClient(0);
  if (client == nullptr) return false;
  const std::optional<SteadyTime> begun = pacer_.Next(now, open_);
  if (!begun) return false;
  if (free_tags_.empty()) {
    free_tags_.push_back(static_cast<uint32_t>(transactions_.size()));
    transactions_.emplace_back();
  }
  const uint32_t tag = free_tags_.back();
  free_tags_.pop_back();
  Transaction& transaction = transactions_[tag];
  FillGid(transaction.gid);
  transaction.begun = *begun;
  transaction.step = 0;
  ++open_;
  client->Send(0, transaction.gid, tag);
  return true;
}

// In turn, so that connections share the load; null when none takes a request now.
Client* Driver::ReadyClient(size_t request) {
  for (size_t tries = 0; tries < clients_.size(); ++tries) {
    Client& client = *clients_[next_client_];
    next_client_ = (next_client_ + 1) % clients_.size();
    if (client.Ready(request)) return &client;
  }
  return nullptr;
}

void Driver::SendWaiting() {
  size_t sent = 0;
  for (; sent < waiting_.size(); ++sent) {
    const Transaction& transaction = transactions_[waiting_[sent]];
    Client* client = ReadyClient(transaction.step);
    if (client == nullptr) break;
    client->Send(transaction.step, transaction.gid, waiting_[sent]);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(sent));
}

void Driver::OnAnswer(const Answer& answer) {
  Transaction& transaction = transactions_[answer.tag];
  const ScenarioCall& call = scenario_.calls[transaction.step];
  if (answer.code != call.expected) {
    if (failed_++ == 0) {
      first_error_ = Cat(call.request.path, " answered ", answer.code, ": ", answer.text);
    }
    return End(answer.tag);
  }
  if (++transaction.step < scenario_.calls.size()) return waiting_.push_back(answer.tag);
  latencies_.Add(std::chrono::duration_cast<Duration>(Now() - transaction.begun));
  ++ended_;
  End(answer.tag);
}

void Driver::End(uint32_t tag) {
  --open_;
  free_tags_.push_back(tag);
}

void Driver::OnClientLost(const Status& why) {
  lost_connection_ = true;
  if (first_error_.empty()) {
    first_error_ =
        Cat("the server closed a connection", why.ok() ? std::string() : Cat(": ", Message(why)));
  }
}

void Driver::Clear() {
  latencies_.Clear();
  ended_ = 0;
  failed_ = 0;
}

// At random, as real ones: gids in sequence would make the server's index cheaper than it is.
void Driver::FillGid(std::string& gid) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr int kPerNumber = 10;  // 6 bits each
  gid.resize(kGidBytes);
  uint64_t bits = 0;
  for (size_t i = 0; i < kGidBytes; ++i) {
    if (i % kPerNumber == 0) bits = random_.Next();
    gid[i] = kAlphabet[bits % kAlphabet.size()];
    bits /= kAlphabet.size();
  }
}

}  // namespace troth::bench
