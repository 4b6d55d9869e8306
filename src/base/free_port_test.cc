#include "base/free_port.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace troth {
namespace {

class Socket {
 public:
  explicit Socket(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool Bind() { return ::bind(fd_, Address(), sizeof(address_)) == 0; }
  bool ListenAsServersDo() {
    const int on = 1;
    return ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 && Bind() &&
           ::listen(fd_, 1) == 0;
  }
  int Connect() { return ::connect(fd_, Address(), sizeof(address_)) == 0 ? 0 : errno; }

 private:
  const sockaddr* Address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  int fd_;
  sockaddr_in address_{};
};

TEST(FreePort, IsADifferentOneEachTime) {
  std::set<uint16_t> ports;
  for (int i = 0; i < 100; ++i) ports.insert(FreePort());
  EXPECT_EQ(ports.size(), 100);
}

TEST(FreePort, IsNotGivenToWhoeverLooksForOne) {
  const uint16_t port = FreePort();
  EXPECT_FALSE(Socket(port).Bind());
  EXPECT_EQ(Socket(port).Connect(), ECONNREFUSED);
}

TEST(FreePort, ServersListenOnItOneAfterTheOther) {
  const uint16_t port = FreePort();
  for (int i = 0; i < 3; ++i) {
    Socket server(port), second(port);
    EXPECT_TRUE(server.ListenAsServersDo());
    EXPECT_FALSE(second.ListenAsServersDo()) << "one at a time";
    EXPECT_EQ(Socket(port).Connect(), 0);
  }
}

}  // namespace
}  // namespace troth
