#include "discovery/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/random.h"
#include "base/text.h"
#include "net/net_testing.h"

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
  };
  for (const auto& [text, expected] : kRows) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << text << ": " << Message(target.status());
    EXPECT_EQ(*target, expected) << text;
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
      {"consul://h:8500/x", "consul:// is not in this version"},
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

TEST(ParseRegistryTarget, AcceptsEveryFormOfEtcd) {
  struct Row {
    std::string_view text;
    std::vector<std::string> hosts;
    std::string_view service;
  };
  const Row kRows[] = {
      {"etcd://h:2379/name", {"h:2379"}, "name"},
      {"etcd://h1:2379,h2:2379/name", {"h1:2379", "h2:2379"}, "name"},
      {"discovery://h:2379/name", {"h:2379"}, "name"},
      {"ETCD://h:2379/name", {"h:2379"}, "name"},
      {"etcd://h:2379/a/b", {"h:2379"}, "a/b"},
      {"etcd://h:2379/sp%20ace?x=1#f", {"h:2379"}, "sp ace"},
      {"etcd://h:2379", {"h:2379"}, ""},
      {"etcd://h:2379/", {"h:2379"}, ""},
      {"etcd://h/name", {"h:2379"}, "name"},
      {"etcd://h1:2379,\r\nh2:2379/name\n", {"h1:2379", "h2:2379"}, "name"},
  };
  for (const Row& row : kRows) {
    const auto target = ParseRegistryTarget(row.text);
    ASSERT_TRUE(target.ok()) << row.text << ": " << Message(target.status());
    EXPECT_EQ(target->kind, TargetKind::kEtcd);
    EXPECT_EQ(target->hosts, row.hosts) << row.text;
    EXPECT_EQ(target->service, row.service) << row.text;
    EXPECT_FALSE(target->tls);
  }
}

TEST(ParseRegistryTarget, MeansNoRegistryWhenEmpty) {
  EXPECT_EQ(ParseRegistryTarget("")->kind, TargetKind::kDirect);
  EXPECT_EQ(ParseRegistryTarget("\n")->kind, TargetKind::kDirect);
}

TEST(ParseRegistryTarget, TakesUserAndPasswordFromTheAuthority) {
  const auto target = ParseRegistryTarget("etcd://root:p%40ss@h:2379/name");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->user, "root");
  EXPECT_EQ(target->password, "p@ss");
  EXPECT_THAT(target->hosts, ElementsAre("h:2379"));
}

TEST(ParseRegistryTarget, RefusesAsDtmDoesAndSaysWhatIsRight) {
  const std::pair<std::string_view, std::string_view> kRows[] = {
      {"direct:///x", "unknown scheme: direct"},
      {"kubernetes:///x", "unknown scheme: kubernetes"},
      {"nacos://h/x", "unknown scheme: nacos"},
      {"localhost:2379/x", "unknown scheme: localhost"},
      {"/name", "unknown scheme: "},
      {"127.0.0.1:2379",
       "parse \"127.0.0.1:2379\": first path segment in URL cannot contain colon"},
      {"etcd:// x/y", "parse \"etcd:// x/y\": invalid character \" \" in host name"},
      {"etcd:///name", "no host in 'etcd:///name'"},
      {"discovery:///name", "no host in 'discovery:///name'"},
  };
  for (const auto& [text, why] : kRows) {
    const auto target = ParseRegistryTarget(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_THAT(std::string(Message(target.status())), HasSubstr(std::string(why)));
    EXPECT_THAT(std::string(Message(target.status())), HasSubstr("for example etcd://"));
  }
  EXPECT_THAT(std::string(Message(ParseRegistryTarget("consul://h:8500/name").status())),
              HasSubstr("not in this version"));
}

class ParseRegistryTargetTls : public testing::Test {
 protected:
  std::string Write(std::string_view name, std::string_view content) {
    std::string path = Cat(testing::TempDir(), "address_test_", name);
    std::ofstream(path, std::ios::binary) << content;
    written_.push_back(path);
    return path;
  }
  static std::string Error(std::string_view query) {
    return std::string(Message(ParseRegistryTarget(Cat("etcd://h:2379/n?", query)).status()));
  }
  ~ParseRegistryTargetTls() override {
    for (const std::string& path : written_) std::remove(path.c_str());
  }

 private:
  std::vector<std::string> written_;
};

TEST_F(ParseRegistryTargetTls, ReadsAndLoadsTheFiles) {
  const net::TestCertificates files;
  const auto target = ParseRegistryTarget(Cat("etcd://h:2379/n?tls=true&caPath=",
                                              files.ca(),
                                              "&certPath=",
                                              files.certificate(),
                                              "&certKeyPath=",
                                              files.key()));
  ASSERT_TRUE(target.ok()) << Message(target.status());
  EXPECT_TRUE(target->tls);
  EXPECT_EQ(target->ca_path, files.ca());
  EXPECT_EQ(target->cert_path, files.certificate());
  EXPECT_EQ(target->cert_key_path, files.key());
}

TEST_F(ParseRegistryTargetTls, RefusesACertificateWithoutItsKey) {
  const net::TestCertificates files;
  EXPECT_NE(Error(Cat("tls=true&certPath=", files.certificate(), "&certKeyPath=", files.ca())), "");
}

TEST_F(ParseRegistryTargetTls, RefusesFilesThatAreMissingOrNoCertificates) {
  const std::string no_pem = Write("no.pem", "hello");
  EXPECT_EQ(Error("tls=true&caPath=/no/ca.pem"), "ca  file not found: /no/ca.pem");
  EXPECT_THAT(Error(Cat("tls=true&caPath=", no_pem)),
              HasSubstr("append ca to x509.CertPool failed"));
  EXPECT_EQ(Error("tls=true&certPath=/no/c"), "cert file not found: /no/c");
  EXPECT_EQ(Error("tls=true&certKeyPath=/no/k"), "key file not found: /no/k");
}

TEST_F(ParseRegistryTargetTls, IgnoresEverythingButTrue) {
  EXPECT_EQ(Error("tls=1&caPath=/no/ca.pem"), "");
  EXPECT_FALSE(ParseRegistryTarget("etcd://h:2379/n?tls=TRUE")->tls);
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
                                    "etcd://h:1/n?tls=true&caPath=%2Fno",
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
