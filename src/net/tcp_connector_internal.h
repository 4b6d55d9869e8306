#pragma once
// Finds a host's addresses and connects to the first that answers. One attempt; for its loop's
// thread.

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/host_port.h"
#include "net/loop.h"

namespace troth::net {

class TcpConnector : public std::enable_shared_from_this<TcpConnector> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Done = std::function<void(StatusOr<Socket>)>;

  // `done` runs once, later, unless Cancel comes first. Names are looked up on a thread of Asio's
  // own; each address gets its share of what is left of `timeout`, so that a silent one does not
  // use it up.
  static std::shared_ptr<TcpConnector> Start(Loop& loop,
                                             HostPort target,
                                             Duration timeout,
                                             Done done);
  TcpConnector(Loop& loop, HostPort target, Duration timeout, Done done);

  void Cancel();

 private:
  void Resolve();
  void TryNext();
  void OnAttemptEnded(const boost::system::error_code& error);
  void Finish(StatusOr<Socket> result);
  Duration Remaining() const;

  Loop& loop_;
  const HostPort target_;
  const std::chrono::steady_clock::time_point deadline_;
  Done done_;  // empty once called or cancelled
  boost::asio::ip::tcp::resolver resolver_;
  Socket socket_;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints_;
  size_t next_ = 0;
  std::string last_error_;
  Timer timer_;
};

}  // namespace troth::net
