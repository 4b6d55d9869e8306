#include "discovery/etcd_testing.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/free_port.h"
#include "base/text.h"

namespace troth {

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // between two looks
  }
  return true;
}

std::string EncodedField(int number, std::string_view text) {
  TROTH_CHECK(number < 16 && text.size() < 128);
  return Cat(static_cast<char>(number << 3 | 2), static_cast<char>(text.size()), text);
}

std::string EncodedField(int number, int64_t value) {
  std::string encoded(1, static_cast<char>(number << 3));
  auto rest = static_cast<uint64_t>(value);
  for (; rest > 127; rest >>= 7) encoded += static_cast<char>((rest & 127) | 128);
  encoded += static_cast<char>(rest);
  return encoded;
}

namespace {

// Runs `args` with its output in `log`; it dies with this process.
pid_t Spawn(const std::vector<std::string>& args, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (freopen(log.c_str(), "a", stderr) == nullptr) _exit(126);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

// Starts something on `loop` and waits for what it is answered.
template <typename Answer>
Answer Ask(net::LoopThread& loop, const std::function<void(std::function<void(Answer)>)>& start) {
  auto answered = std::make_shared<std::promise<Answer>>();
  std::future<Answer> answer = answered->get_future();
  loop.loop().Post([start, answered] {
    start([answered](Answer value) { answered->set_value(std::move(value)); });
  });
  return answer.get();
}

}  // namespace

EtcdServer::EtcdServer() : client_port_(FreePort()), peer_port_(FreePort()) {
  std::string name = Cat(testing::TempDir(), "etcd_test_XXXXXX");
  TROTH_CHECK(mkdtemp(name.data()) != nullptr);
  directory_ = name;
  Start();
  loop_.Do([this] {
    client_ = EtcdClient::Make(loop_.loop(), Options());
    channel_ = net::Channel::Make(loop_.loop(), address(), {});
  });
}

EtcdServer::~EtcdServer() {
  Kill();
  loop_.Do([this] {
    client_.reset();
    channel_.reset();
  });
  std::filesystem::remove_all(directory_);
}

EtcdOptions EtcdServer::Options() const {
  EtcdOptions options;
  options.hosts = {address()};
  options.call_timeout = kPatience;  // a late answer is none of the test's business
  return options;
}

std::string EtcdServer::address() const { return Cat("127.0.0.1:", client_port_); }

void EtcdServer::Start() {
  const std::string client = Cat("http://", address());
  const std::string peer = Cat("http://127.0.0.1:", peer_port_);
  pid_ = Spawn({"etcd",
                "--name=test",
                Cat("--data-dir=", directory_, "/data"),
                Cat("--listen-client-urls=", client),
                Cat("--advertise-client-urls=", client),
                Cat("--listen-peer-urls=", peer),
                Cat("--initial-advertise-peer-urls=", peer),
                Cat("--initial-cluster=test=", peer)},
               Cat(directory_, "/log"));
}

void EtcdServer::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
}

void EtcdServer::EmptyData() const { std::filesystem::remove_all(Cat(directory_, "/data")); }

void EtcdServer::LogIn(std::string user, std::string password) {
  loop_.Do([&] {
    EtcdOptions options = Options();
    options.user = std::move(user);
    options.password = std::move(password);
    client_ = EtcdClient::Make(loop_.loop(), std::move(options));
  });
}

bool EtcdServer::Answers() {
  return WaitUntil([this] {
           int status = 0;
           if (waitpid(pid_, &status, WNOHANG) == pid_) {
             ADD_FAILURE() << "etcd ended; is it installed (apt-get install etcd-server)?";
             pid_ = -1;
           }
           if (pid_ < 0) return true;
           return Ask<StatusOr<EtcdRange>>(
                      loop_, [this](auto done) { client_->Range("any", false, done); })
               .ok();
         }) &&
         pid_ > 0;
}

std::vector<EtcdEntry> EtcdServer::List(std::string_view prefix) {
  auto range = Ask<StatusOr<EtcdRange>>(
      loop_, [&](auto done) { client_->Range(prefix, /*prefix=*/true, done); });
  EXPECT_TRUE(range.ok()) << Message(range.status());
  if (!range.ok()) return {};
  return std::move(range->entries);
}

int64_t EtcdServer::Revision() {
  auto range =
      Ask<StatusOr<EtcdRange>>(loop_, [&](auto done) { client_->Range("any", false, done); });
  EXPECT_TRUE(range.ok()) << Message(range.status());
  return range.ok() ? range->revision : 0;
}

void EtcdServer::Put(std::string_view key, std::string_view value) {
  const auto status =
      Ask<Status>(loop_, [&](auto done) { client_->Put(key, value, /*lease=*/0, done); });
  EXPECT_TRUE(status.ok()) << Message(status);
}

void EtcdServer::PutAll(const std::vector<std::pair<std::string, std::string>>& entries) {
  auto left = std::make_shared<size_t>(entries.size());
  Ask<bool>(loop_, [&, left](auto done) {
    for (const auto& [key, value] : entries) {
      client_->Put(key, value, /*lease=*/0, [left, done](const Status& status) {
        EXPECT_TRUE(status.ok()) << Message(status);
        if (--*left == 0) done(true);
      });
    }
  });
}

void EtcdServer::Delete(std::string_view key) {
  const auto status = Ask<Status>(loop_, [&](auto done) { client_->Delete(key, done); });
  EXPECT_TRUE(status.ok()) << Message(status);
}

Status EtcdServer::Revoke(int64_t lease) {
  return Ask<Status>(loop_, [&](auto done) { client_->RevokeLease(lease, done); });
}

net::GrpcStatus EtcdServer::Call(std::string_view path, std::string_view request) {
  return Ask<net::GrpcStatus>(loop_, [&](auto done) {
    channel_->Unary({.path = path, .metadata = {}, .message = request, .timeout = kPatience},
                    [done](const net::UnaryResult& result) { done(result.status); });
  });
}

}  // namespace troth
