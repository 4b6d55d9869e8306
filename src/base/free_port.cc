#include "base/free_port.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>

#include "base/check.h"
#include "base/random.h"

namespace troth {
namespace {

constexpr uint64_t kLowest = 20000, kCount = 12000;

// Fails where anybody has the port, bound or listening: two processes never get the same. That
// servers may share it is said after that.
bool Keep(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  TROTH_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const int on = 1;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) {
    return true;  // never closed: it goes with the process
  }
  ::close(fd);
  return false;
}

}  // namespace

uint16_t FreePort() {
  static std::mutex mutex;
  static Random random = Random::FromDevice();
  const std::lock_guard lock(mutex);
  for (uint64_t tries = 0;; ++tries) {
    TROTH_CHECK(tries < 10 * kCount);  // or none is free
    const auto port = static_cast<uint16_t>(kLowest + random.Below(kCount));
    if (Keep(port)) return port;
  }
}

}  // namespace troth
