#pragma once
// One end of a connection without its socket: what arrives goes in by Feed, what is to leave
// collects in out(). EventLoop moves both, with one write per connection and turn.

#include <string>
#include <string_view>

#include "base/status.h"

namespace troth::bench {

class Protocol {
 public:
  Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;
  virtual ~Protocol() = default;

  // Error: the peer broke the protocol or a limit; the connection is of no use any more.
  virtual Status Feed(std::string_view bytes) = 0;
  // The socket is gone: closed by the peer (OK) or broken. Called at most once, last.
  virtual void OnLost(const Status& why) { static_cast<void>(why); }

  std::string& out() { return out_; }

 protected:
  std::string out_;
};

}  // namespace troth::bench
