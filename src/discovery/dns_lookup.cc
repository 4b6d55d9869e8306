#include "discovery/dns_lookup.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "base/text.h"

namespace troth {
namespace {

constexpr int kAnswerSeconds = 1;  // until a server is asked again; doubled then
constexpr int kTries = 2;          // of every server
constexpr size_t kAnswerBytesMax = 64 << 10;

std::string AddressText(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

bool IsAddress(const std::string& host) {
  in6_addr bytes{};
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    line = TrimSpace(line);
    if (line.empty()) return words;
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

// --- DNS

// The resolver's settings as they are now.
class Resolver {
 public:
  explicit Resolver(const std::optional<net::HostPort>& server) {
    ok_ = res_ninit(&state_) == 0;
    state_.retrans = kAnswerSeconds;
    state_.retry = kTries;
    if (!server) return;
    sockaddr_in& address = state_.nsaddr_list[0];
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port);
    ok_ = inet_pton(AF_INET, server->host.c_str(), &address.sin_addr) == 1;
    state_.nscount = 1;
  }
  ~Resolver() { res_nclose(&state_); }
  Resolver(const Resolver&) = delete;

  // Adds the addresses of a kind (ns_t_a, ns_t_aaaa). False when nobody answered; a name that does
  // not exist is an answer.
  bool Ask(const std::string& host, ns_type kind, DnsAnswer& answer) {
    if (!ok_) return false;
    const int size = res_nsearch(
        &state_, host.c_str(), ns_c_in, kind, buffer_->data(), static_cast<int>(buffer_->size()));
    if (size >= 0) return Read(static_cast<size_t>(size), kind, answer);
    return state_.res_h_errno == HOST_NOT_FOUND || state_.res_h_errno == NO_DATA;
  }

 private:
  bool Read(size_t size, ns_type kind, DnsAnswer& answer) const {
    ns_msg message{};
    const auto used = static_cast<int>(std::min(size, buffer_->size()));
    if (ns_initparse(buffer_->data(), used, &message) != 0) return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
      ns_rr record{};
      if (ns_parserr(&message, ns_s_an, i, &record) != 0) return false;
      AddRecord(record, kind, answer);
    }
    return true;
  }

  static void AddRecord(const ns_rr& record, ns_type kind, DnsAnswer& answer) {
    // Of aliases on the way, too: the answer is as short-lived as its shortest part.
    const Duration ttl = Seconds(static_cast<int64_t>(ns_rr_ttl(record)));
    answer.ttl = std::min(answer.ttl.value_or(ttl), ttl);
    const bool v4 = kind == ns_t_a;
    const size_t bytes = v4 ? sizeof(in_addr) : sizeof(in6_addr);
    if (ns_rr_type(record) != kind || ns_rr_rdlen(record) != bytes) return;
    answer.addresses.push_back(AddressText(v4 ? AF_INET : AF_INET6, ns_rr_rdata(record)));
  }

  struct __res_state state_{};
  bool ok_ = false;
  std::unique_ptr<std::array<unsigned char, kAnswerBytesMax>> buffer_ =
      std::make_unique<std::array<unsigned char, kAnswerBytesMax>>();
};

// --- Whatever else /etc/nsswitch.conf names

std::vector<std::string> AskSystem(const std::string& host, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    error = gai_strerror(code);
    return addresses;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    const int failed = getnameinfo(
        one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    if (failed == 0) addresses.emplace_back(text.data());
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::vector<std::string> AddressesInHosts(std::string_view hosts, std::string_view name) {
  std::vector<std::string> addresses;
  for (const std::string_view line : Split(hosts, '\n')) {
    const std::vector<std::string_view> words = Words(line.substr(0, line.find('#')));
    const bool names_it = std::any_of(
        words.begin() + (words.empty() ? 0 : 1), words.end(), [name](std::string_view word) {
          return EqualsIgnoreCase(word, name);
        });
    if (names_it && IsAddress(std::string(words.front()))) addresses.emplace_back(words.front());
  }
  return addresses;
}

StatusOr<DnsAnswer> LookUpName(const std::string& host, const DnsSource& source) {
  DnsAnswer answer;
  if (IsAddress(host)) {
    answer.addresses = {host};
    return answer;
  }
  std::ifstream file(source.hosts_file);
  const std::string hosts{std::istreambuf_iterator<char>(file), {}};
  answer.addresses = AddressesInHosts(hosts, host);
  if (!answer.addresses.empty()) return answer;

  Resolver resolver(source.server);
  const bool answered = resolver.Ask(host, ns_t_a, answer) && resolver.Ask(host, ns_t_aaaa, answer);
  if (!answer.addresses.empty()) return answer;
  answer.ttl.reset();
  std::string error = answered ? "it has no address" : "no server answers";
  if (!source.server) answer.addresses = AskSystem(host, error);
  if (!answer.addresses.empty()) return answer;
  return Unavailable(Cat("cannot look up ", host, ": ", error));
}

}  // namespace troth
