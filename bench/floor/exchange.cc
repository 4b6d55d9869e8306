#include "bench/floor/exchange.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "bench/measure/latencies.h"
#include "bench/measure/server_process.h"

namespace troth::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kLogBytes = 64 << 20;   // written over again and again, as a log's files are
constexpr size_t kSaveBytes = 200;       // of each of a transaction's two saves
constexpr size_t kReadBytes = 64 << 10;  // in one call

enum class Kind : uint32_t {
  kSubmit,
  kFirstCall,
  kFirstAnswer,
  kSecondCall,
  kSecondAnswer,
  kReply
};

// About as long as a gRPC message of troth with its headers, once those are compressed.
struct Packet {
  uint32_t id = 0;
  Kind kind = Kind::kSubmit;
  char rest[120] = {};
};
static_assert(sizeof(Packet) == 128);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// One end of the connection: whole packets in, everything out in one write.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd), bytes_(kReadBytes) {}

  // Waits for at least one packet. Empty: the other side has closed, or an error.
  std::span<const Packet> Receive() {
    std::memmove(bytes_.data(), bytes_.data() + used_, size_ - used_);
    size_ -= used_;
    used_ = 0;
    while (size_ < sizeof(Packet)) {
      const ssize_t got = ::recv(fd_, bytes_.data() + size_, bytes_.size() - size_, 0);
      if (got <= 0) return {};
      size_ += static_cast<size_t>(got);
    }
    packets_.resize(size_ / sizeof(Packet));
    used_ = packets_.size() * sizeof(Packet);
    std::memcpy(packets_.data(), bytes_.data(), used_);
    return packets_;
  }

  void Add(uint32_t id, Kind kind) { out_.push_back({.id = id, .kind = kind}); }

  bool Flush() {
    const char* bytes = reinterpret_cast<const char*>(out_.data());
    size_t left = out_.size() * sizeof(Packet);
    while (left > 0) {
      const ssize_t sent = ::send(fd_, bytes, left, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes += sent;
      left -= static_cast<size_t>(sent);
    }
    out_.clear();
    return true;
  }

 private:
  const int fd_;
  std::vector<char> bytes_;
  size_t size_ = 0;
  size_t used_ = 0;
  std::vector<Packet> packets_;
  std::vector<Packet> out_;
};

// A file of zeros that saves are written into, synced each time.
class Log {
 public:
  static StatusOr<Log> Make(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644));
    ::unlink(path.c_str());
    const std::string zeros(1 << 20, '\0');
    for (size_t at = 0; at < kLogBytes; at += zeros.size()) {
      if (::pwrite(file.get(), zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0) {
        return Internal(Cat("cannot write ", path));
      }
    }
    if (::fsync(file.get()) != 0) return Internal(Cat("cannot sync ", path));
    return Log(std::move(file));
  }

  bool Append(size_t saves) {
    const std::string bytes(saves * kSaveBytes, 'x');
    if (at_ + bytes.size() > kLogBytes) at_ = 0;
    const auto size = static_cast<ssize_t>(bytes.size());
    if (::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at_)) != size) {
      return false;
    }
    at_ += bytes.size();
    ++syncs_;
    return ::fdatasync(file_.get()) == 0;
  }
  uint64_t syncs() const { return syncs_; }

 private:
  explicit Log(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
  size_t at_ = 0;
  uint64_t syncs_ = 0;
};

Duration ThreadCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                              std::chrono::nanoseconds(time.tv_nsec));
}

// Until the other side closes. Returns the CPU time it took.
Duration Coordinate(int fd, int core, Log& log) {
  PinToCores({core});
  Wire wire(fd);
  std::vector<uint32_t> created;
  std::vector<uint32_t> ended;
  for (auto packets = wire.Receive(); !packets.empty(); packets = wire.Receive()) {
    for (const Packet& packet : packets) {
      switch (packet.kind) {
        case Kind::kSubmit: created.push_back(packet.id); break;
        case Kind::kFirstAnswer: wire.Add(packet.id, Kind::kSecondCall); break;
        case Kind::kSecondAnswer: ended.push_back(packet.id); break;
        default: break;
      }
    }
    if (!wire.Flush()) break;  // the calls, while the disk is waited for
    if (created.empty() && ended.empty()) continue;
    if (!log.Append(created.size() + ended.size())) break;
    for (const uint32_t id : created) wire.Add(id, Kind::kFirstCall);
    for (const uint32_t id : ended) wire.Add(id, Kind::kReply);
    created.clear();
    ended.clear();
    if (!wire.Flush()) break;
  }
  return ThreadCpu();
}

// The client and both services.
ExchangeFigures Ask(int fd, const ExchangeOptions& options) {
  PinToCores({options.peer_core});
  Wire wire(fd);
  Latencies latencies;
  std::vector<Steady::time_point> submitted(options.in_flight);
  const auto submit = [&](uint32_t id) {
    submitted[id] = Steady::now();
    wire.Add(id, Kind::kSubmit);
  };
  const auto start = Steady::now();
  const auto end = start + std::chrono::duration<double>(options.seconds);
  for (uint32_t id = 0; id < options.in_flight; ++id) submit(id);
  while (Steady::now() < end && wire.Flush()) {
    for (const Packet& packet : wire.Receive()) {
      switch (packet.kind) {
        case Kind::kFirstCall: wire.Add(packet.id, Kind::kFirstAnswer); break;
        case Kind::kSecondCall: wire.Add(packet.id, Kind::kSecondAnswer); break;
        case Kind::kReply:
          latencies.Add(std::chrono::duration_cast<Duration>(Steady::now() - submitted[packet.id]));
          submit(packet.id);
          break;
        default: break;
      }
    }
  }
  ::shutdown(fd, SHUT_RDWR);
  return {.transactions = latencies.count(),
          .seconds = std::chrono::duration<double>(Steady::now() - start).count(),
          .p50 = latencies.Percentile(0.5)};
}

// Both ends of a connection over loopback.
std::optional<std::pair<Descriptor, Descriptor>> Connect() {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  if (::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), 1) != 0) return {};
  if (::getsockname(listener.get(), any, &size) != 0) return {};
  Descriptor near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(near.get(), any, size) != 0) return {};
  Descriptor far(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const int on = 1;
  for (const int fd : {near.get(), far.get()}) {
    if (::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) return {};
  }
  return std::pair(std::move(near), std::move(far));
}

}  // namespace

StatusOr<ExchangeFigures> RunExchange(const ExchangeOptions& options) {
  TROTH_ASSIGN_OR_RETURN(Log log, Log::Make(Cat(options.directory, "/floor.log")));
  const auto ends = Connect();
  if (!ends) return Internal("cannot make a connection over loopback");
  ExchangeFigures figures;
  Duration cpu{};
  std::thread coordinator(
      [&] { cpu = Coordinate(ends->first.get(), options.coordinator_core, log); });
  std::thread peer([&] { figures = Ask(ends->second.get(), options); });
  peer.join();
  coordinator.join();
  figures.coordinator_cpu = cpu;
  figures.syncs = log.syncs();
  return figures;
}

}  // namespace troth::bench
