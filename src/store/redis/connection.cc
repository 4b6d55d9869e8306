#include "store/redis/connection.h"

#include <utility>

#include "base/text.h"
#include "store/redis/command.h"

namespace troth::redis {

// Bytes of the shortest that Redis sends: ":0\r\n".
constexpr size_t kLeastReply = 4;

StatusOr<std::unique_ptr<Connection>> Connection::Open(const Endpoint& to,
                                                       const Login& login,
                                                       Deadline deadline) {
  TROTH_ASSIGN_OR_RETURN(std::unique_ptr<Socket> socket, Socket::Connect(to, login.tls, deadline));
  std::unique_ptr<Connection> made(new Connection(to, std::move(socket)));
  if (login.password.empty()) return made;
  const std::string auth = login.user.empty() ? Command({"AUTH", login.password})
                                              : Command({"AUTH", login.user, login.password});
  const StatusOr<ReplyPtr> reply = made->Ask(auth, deadline);
  if (reply.ok()) return made;
  return MakeStatus(reply.status().code(),
                    Cat("cannot log in to Redis at ", Name(to), ": ", Message(reply.status())));
}

Status Connection::Exchange(std::string_view commands,
                            size_t count,
                            std::vector<ReplyPtr>& replies,
                            Deadline deadline) {
  const size_t wanted = replies.size() + count;
  const auto receive = [&](std::string_view bytes) -> StatusOr<bool> {
    TROTH_RETURN_IF_ERROR(reader_.Feed(bytes, replies));
    return replies.size() >= wanted;
  };
  return socket_->Exchange(commands, count * kLeastReply, receive, deadline);
}

StatusOr<ReplyPtr> Connection::Ask(std::string_view command, Deadline deadline) {
  std::vector<ReplyPtr> replies;
  TROTH_RETURN_IF_ERROR(Exchange(command, 1, replies, deadline));
  if (IsError(replies[0].get())) return Explain(Text(replies[0].get()));
  return std::move(replies[0]);
}

}  // namespace troth::redis
