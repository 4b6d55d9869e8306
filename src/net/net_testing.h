#pragma once
// For tests of net/: loops on threads, a bare blocking socket to speak to servers with, one to play
// a server, and certificates made on the spot. Nothing here waits for more than kTestPatience.

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "net/loop.h"

namespace troth::net {

inline constexpr std::chrono::seconds kTestPatience{10};

// A loop that runs on its own thread for as long as this lives.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() {
    loop_.Stop();
    thread_.join();
  }
  Loop& loop() { return loop_; }

  // Runs `work` on the loop and waits for it.
  void Do(const std::function<void()>& work) {
    std::promise<void> done;
    loop_.Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

// Waits until `condition` holds; false when it does not in time.
bool Eventually(const std::function<bool()>& condition);

// One end of a TCP connection, blocking, with a time limit on every read.
class RawSocket {
 public:
  explicit RawSocket(int fd) : fd_(fd) {}
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&& other) noexcept;
  ~RawSocket();
  // To a port on "127.0.0.1" or "::1". Not open when nobody listens.
  static RawSocket Connect(uint16_t port, const char* host = "127.0.0.1");
  // The same for a socket made before, of the right family.
  bool ConnectTo(uint16_t port, const char* host = "127.0.0.1") const;

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // False when the other side is gone.
  bool Send(std::string_view bytes) const;
  // Everything up to and including `end`, or what came before the connection ended or patience did.
  std::string ReadUntil(std::string_view end);
  // Exactly `size` bytes, or what came.
  std::string ReadBytes(size_t size);
  // Everything until the other side closes.
  std::string ReadAll();
  // True when the other side closed, by FIN or RST, with nothing more to read.
  bool SeesEnd();
  void CloseSend() const;
  // Closes with RST instead of FIN.
  void Reset();
  void Close();

 private:
  bool ReadSome();  // into buffer_

  int fd_;
  std::string buffer_;
};

// Listens on a free port of 127.0.0.1 or ::1; each test writes by hand what the server says.
class RawServer {
 public:
  explicit RawServer(const char* host = "127.0.0.1");
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  uint16_t port() const { return port_; }
  // The next connection; not open when none comes in time.
  RawSocket Accept() const;

 private:
  int fd_;
  uint16_t port_;
};

// A directory with an authority "ca.pem" and a certificate it signed for localhost, 127.0.0.1 and
// ::1
// ("server.pem", "server.key"), removed at the end.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;
  std::string ca() const { return directory_ + "/ca.pem"; }
  std::string certificate() const { return directory_ + "/server.pem"; }
  std::string key() const { return directory_ + "/server.key"; }

 private:
  std::string directory_;
};

}  // namespace troth::net
