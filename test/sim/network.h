#pragma once
// Carries messages between the parties: late, twice, out of order, or not at all.

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "context.h"

namespace troth::sim {

// A party on the network.
using Node = int;
inline constexpr Node kClients = 0;
inline constexpr Node kStoreNode = 1;
inline constexpr Node kFirstServer = 10;
inline constexpr Node kFirstService = 100;

class Network {
 public:
  explicit Network(Context& context) : context_(context) {}

  // `deliver` is run zero, one or two times.
  void SendRequest(Node from, Node to, std::function<void()> deliver);
  // `deliver` is run at most once.
  void SendReply(Node from, Node to, Task deliver);

  // Nothing passes from the one to the other until `end`; back it does.
  void CutOneWay(Node from, Node to, TimePoint end);
  // Nothing passes between the two until `end`.
  void Cut(Node a, Node b, TimePoint end);
  void HealAll() { cut_until_.clear(); }

 private:
  bool IsCut(Node from, Node to) const;
  Duration Delay();

  Context& context_;
  std::map<std::pair<Node, Node>, TimePoint> cut_until_;  // from, to
};

}  // namespace troth::sim
