// Names that are followed, with a DNS server in this process.

#include "discovery/dns_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/synchronization/mutex.h"
#include "base/text.h"
#include "net/net_testing.h"

namespace troth {
namespace {

using boost::asio::ip::udp;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAaaa = 28;

// Knows one name, with the addresses and the time to live it has been told.
class FakeDns {
 public:
  FakeDns() {
    thread_.Do([this] { Receive(); });
  }
  ~FakeDns() {
    thread_.Do([this] { socket_.close(); });
  }

  DnsSource source() {
    return {.hosts_file = "/dev/null",
            .server = net::HostPort{"127.0.0.1", socket_.local_endpoint().port()}};
  }
  void Set(std::vector<std::string> addresses, uint32_t ttl_seconds) {
    absl::MutexLock lock(&mutex_);
    addresses_ = std::move(addresses);
    ttl_ = ttl_seconds;
  }
  void FallSilent(bool silent) {
    absl::MutexLock lock(&mutex_);
    silent_ = silent;
  }
  int queries() {
    absl::MutexLock lock(&mutex_);
    return queries_;
  }
  // Without what the resolver sent again because the answer was late.
  size_t different_queries() {
    absl::MutexLock lock(&mutex_);
    return different_queries_.size();
  }

 private:
  void Receive() {
    socket_.async_receive_from(
        boost::asio::buffer(bytes_), peer_, [this](const auto& error, size_t size) {
          if (error) return;
          const std::string reply = Answer(std::string_view(bytes_.data(), size));
          if (!reply.empty()) socket_.send_to(boost::asio::buffer(reply), peer_);
          Receive();
        });
  }

  // A query is a header of 12 bytes, a name as labels, type and class.
  std::string Answer(std::string_view query) {
    constexpr size_t kHeader = 12;
    absl::MutexLock lock(&mutex_);
    ++queries_;
    different_queries_.emplace(query);  // each has a number of its own
    if (silent_ || query.size() < kHeader) return {};
    const size_t name_end = query.find('\0', kHeader) + 1;
    const std::string_view question = query.substr(kHeader, name_end + 4 - kHeader);
    const bool known = question.substr(1, 5) == "known";
    const auto type = static_cast<uint16_t>(static_cast<uint8_t>(query[name_end + 1]));
    std::string records;
    uint16_t count = 0;
    for (const std::string& text : addresses_) {
      const auto address = boost::asio::ip::make_address(text);
      if (!known || (address.is_v4() ? kTypeA : kTypeAaaa) != type) continue;
      ++count;
      Append(records, address, type);
    }
    std::string reply(query.substr(0, 2));
    PutNumber(
        reply, known ? 0x8180 : 0x8183, 2);  // an answer; an answer that there is no such name
    PutNumber(reply, 1, 2);
    PutNumber(reply, count, 2);
    PutNumber(reply, 0, 4);
    return reply.append(question).append(records);
  }

  void Append(std::string& out, const boost::asio::ip::address& address, uint16_t type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    PutNumber(out, 0xC00C, 2);  // the name of the question
    PutNumber(out, type, 2);
    PutNumber(out, 1, 2);
    PutNumber(out, ttl_, 4);
    const auto put = [&out](const auto& bytes) {
      PutNumber(out, static_cast<uint32_t>(bytes.size()), 2);
      out.append(bytes.begin(), bytes.end());
    };
    address.is_v4() ? put(address.to_v4().to_bytes()) : put(address.to_v6().to_bytes());
  }

  static void PutNumber(std::string& out, uint32_t number, int bytes) {
    while (bytes-- > 0) out.push_back(static_cast<char>(number >> (8 * bytes) & 0xFF));
  }

  net::LoopThread thread_;
  udp::socket socket_{thread_.loop().io(),
                      udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::array<char, 512> bytes_{};
  udp::endpoint peer_;
  absl::Mutex mutex_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
  uint32_t ttl_ ABSL_GUARDED_BY(mutex_) = 0;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  int queries_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string, std::less<>> different_queries_ ABSL_GUARDED_BY(mutex_);
};

TEST(AddressesInHosts, FindsTheNameAndItsAliases) {
  constexpr std::string_view kHosts =
      "# comment\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n"
      "10.0.0.5  db.internal DB # db2\nbad db\n\n";
  EXPECT_THAT(AddressesInHosts(kHosts, "localhost"), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(AddressesInHosts(kHosts, "db"), ElementsAre("10.0.0.5"));
  EXPECT_THAT(AddressesInHosts(kHosts, "db2"), IsEmpty());
  EXPECT_THAT(AddressesInHosts(kHosts, "10.0.0.5"), IsEmpty());
}

TEST(LookUpName, TellsHowLongTheAnswerIsGood) {
  FakeDns dns;
  dns.Set({"10.0.0.1", "fd00::2"}, 17);
  const auto answer = LookUpName("known.test", dns.source());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, UnorderedElementsAre("10.0.0.1", "fd00::2"));
  EXPECT_EQ(answer->ttl, Seconds(17));
}

TEST(LookUpName, AsksNobodyForAnAddress) {
  FakeDns dns;
  EXPECT_THAT(LookUpName("10.1.2.3", dns.source())->addresses, ElementsAre("10.1.2.3"));
  EXPECT_THAT(LookUpName("fd00::2", dns.source())->addresses, ElementsAre("fd00::2"));
  EXPECT_EQ(dns.queries(), 0);
}

TEST(LookUpName, TakesTheHostsFileFirst) {
  const std::string path = Cat(testing::TempDir(), "hosts.", getpid());
  std::ofstream(path) << "10.9.9.9 known.test\n";
  FakeDns dns;
  dns.Set({"10.0.0.1"}, 17);
  DnsSource source = dns.source();
  source.hosts_file = path;
  const auto answer = LookUpName("known.test", source);
  std::filesystem::remove(path);
  EXPECT_THAT(answer->addresses, ElementsAre("10.9.9.9"));
  EXPECT_EQ(answer->ttl, std::nullopt);
}

TEST(LookUpName, SaysWhyThereIsNone) {
  FakeDns dns;
  EXPECT_THAT(std::string(Message(LookUpName("unknown.test", dns.source()).status())),
              HasSubstr("unknown.test: it has no address"));
  dns.FallSilent(true);
  EXPECT_THAT(std::string(Message(LookUpName("known.test", dns.source()).status())),
              HasSubstr("known.test: no server answers"));
}

class DnsWatchTest : public testing::Test {
 protected:
  static constexpr Duration kSoon = std::chrono::milliseconds(20);
  static constexpr Duration kNever = Seconds(3600);

  ~DnsWatchTest() override {
    thread_.Do([this] { watch_.reset(); });
  }

  void Follow(const DnsTimes& times) {
    thread_.Do([&] {
      registry_ = MakeDnsRegistry(thread_.loop(), times, dns_.source());
      watch_ = registry_->WatchService(
          "known.test:80",
          [this](const std::vector<ServiceInstance>& instances) {
            absl::MutexLock lock(&mutex_);
            ids_.clear();
            for (const ServiceInstance& instance : instances) ids_.push_back(instance.id);
          },
          [this](const Status&) {
            absl::MutexLock lock(&mutex_);
            ++troubles_;
          });
    });
  }
  bool EventuallyIs(const std::vector<std::string>& ids) {
    return net::Eventually([&] {
      absl::MutexLock lock(&mutex_);
      return ids_ == ids;
    });
  }
  int troubles() {
    absl::MutexLock lock(&mutex_);
    return troubles_;
  }

  FakeDns dns_;
  net::LoopThread thread_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Watch> watch_;
  absl::Mutex mutex_;
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mutex_);
  int troubles_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(DnsWatchTest, FollowsChangesWhenAnAnswerIsNoLongerGood) {
  dns_.Set({"10.0.0.1"}, 0);
  Follow({.ttl_min = kSoon, .ttl_max = kNever, .refresh = kNever});
  ASSERT_TRUE(EventuallyIs({"10.0.0.1:80"}));
  dns_.Set({"10.0.0.2", "10.0.0.1"}, 0);
  EXPECT_TRUE(EventuallyIs({"10.0.0.1:80", "10.0.0.2:80"}));
  dns_.Set({"10.0.0.3"}, 0);
  EXPECT_TRUE(EventuallyIs({"10.0.0.3:80"}));
}

TEST_F(DnsWatchTest, DoesNotBelieveInAnswersThatAreGoodForTooLong) {
  dns_.Set({"10.0.0.1"}, 86400);
  Follow({.ttl_min = kSoon, .ttl_max = kSoon, .refresh = kNever});
  ASSERT_TRUE(EventuallyIs({"10.0.0.1:80"}));
  dns_.Set({"10.0.0.2"}, 86400);
  EXPECT_TRUE(EventuallyIs({"10.0.0.2:80"}));
}

TEST_F(DnsWatchTest, LooksAgainWhenTheEndpointsDoNotWork) {
  dns_.Set({"10.0.0.1"}, 86400);
  Follow({.ttl_max = kNever, .refresh = kNever, .pause = kSoon});
  ASSERT_TRUE(EventuallyIs({"10.0.0.1:80"}));
  const size_t queries = dns_.different_queries();
  dns_.Set({"10.0.0.2"}, 86400);
  thread_.Do([this] { watch_->Refresh(); });
  EXPECT_TRUE(EventuallyIs({"10.0.0.2:80"}));
  EXPECT_EQ(dns_.different_queries(), queries + 2);  // both kinds of addresses, once
}

TEST_F(DnsWatchTest, KeepsTheLastAnswerWhileNobodyAnswers) {
  dns_.Set({"10.0.0.1"}, 0);
  Follow({.ttl_min = kSoon, .retry = kSoon});
  ASSERT_TRUE(EventuallyIs({"10.0.0.1:80"}));
  dns_.FallSilent(true);
  dns_.Set({"10.0.0.2"}, 0);
  const int queries = dns_.queries();
  // What was under way before ended with the first of these; the next one failed.
  ASSERT_TRUE(net::Eventually([&] { return dns_.queries() >= queries + 4; }));
  EXPECT_TRUE(EventuallyIs({"10.0.0.1:80"}));
  dns_.FallSilent(false);
  EXPECT_TRUE(EventuallyIs({"10.0.0.2:80"}));
  EXPECT_EQ(troubles(), 0) << "trouble is told until there is a first answer";
}

TEST_F(DnsWatchTest, TellsTroubleUntilTheFirstAnswer) {
  Follow({.ttl_min = kSoon, .retry = kSoon});  // the name has no address yet
  ASSERT_TRUE(net::Eventually([this] { return troubles() > 0; }));
  dns_.Set({"10.0.0.1"}, 60);
  EXPECT_TRUE(EventuallyIs({"10.0.0.1:80"}));
}

}  // namespace
}  // namespace troth
