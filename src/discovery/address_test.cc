#include "discovery/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/text.h"
#include "discovery/registry_target.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct GoodUrl {
  std::string_view url, target, method;
};

TEST(ParseGrpcUrl, SplitsEveryFormClientsUse) {
  constexpr GoodUrl kRows[] = {
      {"localhost:58081/busi.Busi/TransIn", "localhost:58081", "/busi.Busi/TransIn"},
      {"[fd00::2]:9000/b.C/M", "[fd00::2]:9000", "/b.C/M"},
      {"/busi.Busi/A", "", "/busi.Busi/A"},
      {"discovery:///trans/api.trans.v1.Trans/TransIn",
       "discovery:///trans",
       "/api.trans.v1.Trans/TransIn"},
      {"discovery://127.0.0.1:2379/trans/api.trans.v1.Trans/TransIn",
       "discovery://127.0.0.1:2379/trans",
       "/api.trans.v1.Trans/TransIn"},
      {"etcd://h:1,h2:2/trans/api.T/M", "etcd://h:1,h2:2/trans", "/api.T/M"},
      {"consul://h:8500/a/b.C/M", "consul://h:8500/a", "/b.C/M"},
      {"direct:///1.1.1.1:9000,2.2.2.2:9000/b.C/M",
       "direct:///1.1.1.1:9000,2.2.2.2:9000",
       "/b.C/M"},
      {"dns:///h:1/b.C/M", "dns:///h:1", "/b.C/M"},
      {"kubernetes:///s/b.C/M", "kubernetes:///s", "/b.C/M"},
      {"discovery:///ns/svc/b.C/M", "discovery:///ns", "/svc/b.C/M"},
      {"discovery:///trans", "discovery://", "/trans"},
      {"discovery:///trans/", "discovery:///trans", "/"},
      {"discovery:///trans/b.C/M?x=1#f", "discovery:///trans", "/b.C/M"},
      {"discovery://u:p@h:1/s/b.C/M", "discovery://h:1/s", "/b.C/M"},
      {"discovery:///sp%20ace/b.C/M", "discovery:///sp ace", "/b.C/M"},
      {"DISCOVERY:///trans/b.C/M", "discovery:///trans", "/b.C/M"},
      {"//h/s/m", "://h/s", "/m"},
      {"a//b/c", "://a", "//b/c"},
      // Wrong in Go, host:port here.
      {"grpc://h:1/b.C/M", "h:1", "/b.C/M"},
      {"grpcs://h:1/b.C/M", "grpcs://h:1", "/b.C/M"},
  };
  for (const GoodUrl& row : kRows) {
    const auto address = ParseGrpcUrl(row.url);
    ASSERT_TRUE(address.ok()) << row.url << ": " << Message(address.status());
    EXPECT_EQ(address->target, row.target) << row.url;
    EXPECT_EQ(address->method, row.method) << row.url;
  }
}

TEST(ParseGrpcUrl, RefusesWithTheUrlAndTheReason) {
  constexpr std::string_view kRows[] = {"localhost:58081",
                                        "",
                                        "discovery://%zz/s/m",
                                        "://",
                                        "discovery://host",
                                        "h:1/b.C/M?x=//y",
                                        "grpc://h:1",
                                        "discovery:///s/m%0aevil: 1",
                                        "discovery:///s/%4",
                                        "h:1/b.C/M M",
                                        "discovery://h:x/s/m",
                                        "discovery://[::1/s/m"};
  for (std::string_view url : kRows) {
    const auto address = ParseGrpcUrl(url);
    ASSERT_FALSE(address.ok()) << url;
    EXPECT_EQ(address.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(Message(address.status())), HasSubstr(Cat("bad url: '", url, "'. ")));
  }
  EXPECT_EQ(Message(ParseGrpcUrl("localhost:58081").status()),
            "bad url: 'localhost:58081'. no '/' found");
}

TEST(ParseTarget, TellsKindsHostsAndNamesApart) {
  using enum TargetKind;
  const std::pair<std::string_view, Target> kRows[] = {
      {"h:1", {kDirect, {"h:1"}, "", false}},
      {"[fd00::2]:9000", {kDirect, {"[fd00::2]:9000"}, "", false}},
      {"direct:///a:1,b:2", {kDirect, {"a:1", "b:2"}, "", false}},
      {"direct://x/a:1", {kDirect, {"a:1"}, "", false}},
      {"dns:///h:1", {kDns, {"h:1"}, "", false}},
      {"grpc://h:1", {kDirect, {"h:1"}, "", false}},
      {"grpcs://h:1", {kDirect, {"h:1"}, "", true}},
      {"discovery:///trans", {kDiscovery, {}, "trans", false}},
      {"discovery:///sp ace", {kDiscovery, {}, "sp ace", false}},
      {"discovery://h:1/trans", {kDiscovery, {"h:1"}, "trans", false}},
      {"etcd://h:1,[::1]:2/trans", {kEtcd, {"h:1", "[::1]:2"}, "trans", false}},
      {"etcd://h/a/b", {kEtcd, {"h:2379"}, "a/b", false}},
      {"etcd://[::1]/a", {kEtcd, {"[::1]:2379"}, "a", false}},
      {"consul://h/a", {kConsul, {"h:8500"}, "a", false}},
      {"consul://[::1]:1/a", {kConsul, {"[::1]:1"}, "a", false}},
  };
  for (const auto& [text, expected] : kRows) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << text << ": " << Message(target.status());
    EXPECT_EQ(*target, expected) << text;
  }
}

TEST(ParseHttpServiceUrl, SplitsServiceAndPath) {
  const std::pair<std::string_view, HttpAddress> kRows[] = {
      {"discovery:///trans/api/In?x=%2F#f", {"discovery:///trans", "/api/In?x=%2F"}},
      {"discovery://h:1/trans/a", {"discovery://h:1/trans", "/a"}},
      {"etcd://h:1,h2:2/trans", {"etcd://h:1,h2:2/trans", "/"}},
      {"consul://h/trans?x=1", {"consul://h/trans", "/?x=1"}},
      {"direct:///[::1]:1,b:2/a", {"direct:///[::1]:1,b:2", "/a"}},
      {"dns:///svc:80/a", {"dns:///svc:80", "/a"}},
  };
  for (const auto& [url, expected] : kRows) {
    const auto address = ParseHttpServiceUrl(url);
    ASSERT_TRUE(address.ok()) << url << ": " << Message(address.status());
    EXPECT_EQ(*address, expected) << url;
  }
  for (const char* url :
       {"", "h:1/a", "http://h/a", "discovery://h", "discovery:////a", "x:///s/a"}) {
    EXPECT_FALSE(ParseHttpServiceUrl(url).ok()) << url;
  }
}

TEST(ParseTarget, RefusesWhatCannotBeDialled) {
  const std::pair<std::string_view, std::string_view> kRows[] = {
      {"", "names no host:port"},
      {"h", "'h' is not host:port"},
      {":1", "is not host:port"},
      {"h:0", "is not host:port"},
      {"h:65536", "is not host:port"},
      {"fd00::2:9000", "is not host:port"},
      {"direct:///", "names no host:port"},
      {"direct:///a:1,", "'' is not host:port"},
      {"dns://8.8.8.8/h:1", "write dns:///host:port"},
      {"discovery://", "names no service"},
      {"etcd:///x", "names no etcd host"},
      {"etcd://h:0/x", "is not host:port"},
      {"consul:///x", "must name one Consul agent"},
      {"consul://a,b/x", "must name one Consul agent"},
      {"kubernetes:///x", "kubernetes:// is not in this version"},
      {"nacos://h/x", "unknown scheme 'nacos'"},
      {"://h/s", "missing protocol scheme"},
  };
  for (const auto& [text, why] : kRows) {
    const auto target = ParseTarget(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_THAT(std::string(Message(target.status())), HasSubstr(std::string(why))) << text;
  }
}

TEST(ParseEndpoints, AddsTheSchemeClientsNeedAndWarns) {
  std::vector<std::string> warnings;
  const auto endpoints = ParseEndpoints("grpc://h:36790, http://h:36789,[::1]:1", &warnings);
  ASSERT_TRUE(endpoints.ok());
  EXPECT_THAT(*endpoints, ElementsAre("grpc://h:36790", "http://h:36789", "grpc://[::1]:1"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("published as grpc://[::1]:1")));
  EXPECT_THAT(*ParseEndpoints("", nullptr), IsEmpty());
}

TEST(ParseEndpoints, RefusesWhatNobodyCouldDial) {
  for (std::string_view text : {"grpc://h", "h", "grpc://h:1,", "grpc://:1", "grpc://a b:1"}) {
    EXPECT_FALSE(ParseEndpoints(text, nullptr).ok()) << text;
  }
}

TEST(Addresses, SurviveAnyBytes) {
  Random random(7);
  const std::string_view seeds[] = {"discovery://u:p@127.0.0.1:2379,[::1]:2/trans/api.T/M?x=1#f",
                                    // tls=true would load the system's certificates each time
                                    "etcd://h:1/n?tls=false&caPath=%2Fno",
                                    "direct:///a:1,b:2/b.C/M",
                                    "[fd00::2]:9000/b.C/M"};
  for (int round = 0; round < 20000; ++round) {
    std::string text(seeds[random.Below(std::size(seeds))]);
    for (uint64_t edits = random.Below(4) + 1; edits > 0; --edits) {
      const size_t at = random.Below(text.size() + 1);
      switch (random.Below(4)) {
        case 0: text.resize(at); break;
        case 1: text.insert(at, 1, static_cast<char>(random.Below(256))); break;
        case 2: text.insert(at, 1, "/:@%[],?#"[random.Below(9)]); break;
        case 3:
          if (at < text.size()) text.erase(at, 1);
          break;
      }
    }
    if (const auto address = ParseGrpcUrl(text); address.ok()) {
      EXPECT_TRUE(address->method.starts_with('/')) << text;
      (void)ParseTarget(address->target);
    }
    (void)ParseTarget(text);
    (void)ParseRegistryTarget(text);
    (void)ParseEndpoints(text, nullptr);
  }
}

}  // namespace
}  // namespace troth
