#pragma once
// One connection to one Redis server: logged in, on the right database, ready for commands. One
// thread at a time.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/redis/reply.h"
#include "store/redis/socket.h"

namespace troth::redis {

// What every connection to a server of the store begins with.
struct Login {
  std::string user;                // empty: the default account
  std::string password;            // empty: none is asked for
  const TlsClient* tls = nullptr;  // outlives all connections; null: plain TCP
};

class Connection {
 public:
  static StatusOr<std::unique_ptr<Connection>> Open(const Endpoint& to,
                                                    const Login& login,
                                                    Deadline deadline);

  const Endpoint& endpoint() const { return endpoint_; }

  // Sends `commands`, `count` of them, and appends their replies in order. On an error `replies`
  // has those that came; the rest may have been carried out or not, and the connection is of no
  // more use.
  Status Exchange(std::string_view commands,
                  size_t count,
                  std::vector<ReplyPtr>& replies,
                  Deadline deadline);

  // Whether the server has closed it since the last exchange. Does not block.
  bool Closed() const { return socket_->Closed(); }

  // One command. Errors of Redis are errors here (Explain).
  StatusOr<ReplyPtr> Ask(std::string_view command, Deadline deadline);

 private:
  Connection(Endpoint endpoint, std::unique_ptr<Socket> socket)
      : endpoint_(std::move(endpoint)), socket_(std::move(socket)) {}

  const Endpoint endpoint_;
  const std::unique_ptr<Socket> socket_;
  ReplyReader reader_;
};

}  // namespace troth::redis
