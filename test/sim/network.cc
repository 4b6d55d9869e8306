#include "network.h"

#include <utility>

namespace troth::sim {

void Network::SendRequest(Node from, Node to, std::function<void()> deliver) {
  if (IsCut(from, to) || context_.faults.Strikes(Fault::kMessageLost)) return;
  if (context_.faults.Strikes(Fault::kMessageDuplicated)) {
    context_.scheduler.After(Delay(), deliver);
  }
  context_.scheduler.After(Delay(), std::move(deliver));
}

void Network::SendReply(Node from, Node to, Task deliver) {
  if (IsCut(from, to) || context_.faults.Strikes(Fault::kReplyLost)) return;
  context_.scheduler.After(Delay(), std::move(deliver));
}

void Network::CutOneWay(Node from, Node to, TimePoint end) { cut_until_[{from, to}] = end; }

void Network::Cut(Node a, Node b, TimePoint end) {
  CutOneWay(a, b, end);
  CutOneWay(b, a, end);
}

bool Network::IsCut(Node from, Node to) const {
  const auto found = cut_until_.find({from, to});
  return found != cut_until_.end() && context_.scheduler.now() < found->second;
}

Duration Network::Delay() {
  if (context_.faults.Strikes(Fault::kMessageDelayed)) {
    return context_.Between(Millis(5), Millis(15'000));
  }
  return context_.Between(Duration(100), Millis(5));
}

}  // namespace troth::sim
