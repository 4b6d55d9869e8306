#include "discovery/registry_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "net/net_testing.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
      {"consul:///name", "no host in 'consul:///name'"},
      {"consul://a:8500,b:8500/name", "no such host: 'a:8500,b:8500'"},
      {"consul://h:8500", "Missing service name"},
  };
  for (const auto& [text, why] : kRows) {
    const auto target = ParseRegistryTarget(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_THAT(std::string(Message(target.status())), HasSubstr(std::string(why)));
    EXPECT_THAT(std::string(Message(target.status())), HasSubstr("for example etcd://"));
  }
}

TEST(ParseRegistryTarget, TakesConsulWithItsParameters) {
  const auto target =
      ParseRegistryTarget("consul://me:secret@h/dtmservice?token=t&namespace=n&partition=p");
  ASSERT_TRUE(target.ok()) << Message(target.status());
  EXPECT_EQ(target->kind, TargetKind::kConsul);
  EXPECT_THAT(target->hosts, ElementsAre("h:8500"));
  EXPECT_EQ(target->service, "dtmservice");
  EXPECT_EQ(target->user, "me");
  EXPECT_EQ(target->password, "secret");
  EXPECT_EQ(target->token, "t");
  EXPECT_EQ(target->name_space, "n");
  EXPECT_EQ(target->partition, "p");
}

TEST(ParseRegistryTarget, TakesFromTheEnvironmentWhatAConsulTargetLeavesOpen) {
  const std::map<std::string, std::string, std::less<>> variables = {
      {"CONSUL_HTTP_TOKEN", "env-token"},
      {"CONSUL_NAMESPACE", "env-ns"},
      {"CONSUL_HTTP_AUTH", "user:pass:word"},
      {"CONSUL_HTTP_SSL", "true"},
      {"CONSUL_HTTP_SSL_VERIFY", "false"},
      {"CONSUL_TLS_SERVER_NAME", "server.dc1.consul"}};
  const auto environment = [&](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
  const auto target = ParseRegistryTarget("consul://h/dtmservice?token=own", environment);
  ASSERT_TRUE(target.ok()) << Message(target.status());
  EXPECT_EQ(target->token, "own");
  EXPECT_EQ(target->name_space, "env-ns");
  EXPECT_EQ(target->user, "user");
  EXPECT_EQ(target->password, "pass:word");
  EXPECT_TRUE(target->tls);
  EXPECT_TRUE(target->tls_skip_verify);
  EXPECT_EQ(target->tls_server_name, "server.dc1.consul");
  EXPECT_EQ(ParseRegistryTarget("etcd://h/dtmservice", environment)->token, "");
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

}  // namespace
}  // namespace troth
