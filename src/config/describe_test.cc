#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "config/config.h"

namespace troth {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DescribeConfig, ShowsTheEffectiveConfigurationAsIndentedJson) {
  const std::string text = DescribeConfig(LoadConfig({}, {{"HTTP_PORT", "80"}}).value());
  EXPECT_THAT(text, HasSubstr("\n  \"HttpPort\": 80,\n"));
  EXPECT_THAT(text, HasSubstr("\n    \"Driver\": \"embedded\",\n"));
  const boost::json::value parsed = boost::json::parse(text);
  EXPECT_EQ(parsed.at("RetryInterval"), 10);
  EXPECT_EQ(parsed.at("Store").at("DataExpire"), 604800);
  EXPECT_EQ(parsed.at("Store").at("ConnMaxLifeTime"), 5);
}

TEST(DescribeConfig, CanBeReadBack) {
  const Environment changed = {
      {"LOG_LEVEL", "warn"},
      {"LOG_FORMAT", "json"},
      {"TIME_ZONE_OFFSET", "-3"},
      {"SHARDS", "4"},
      {"GRPC_SERVICE_CONFIG", R"({"loadBalancingConfig":[{"least_request_experimental":{}}]})"}};
  const std::string described = DescribeConfig(LoadConfig({}, changed).value());
  Environment read_back;
  const boost::json::value parsed = boost::json::parse(described);
  for (const char* key : {"LogLevel", "TimeZoneOffset", "GrpcServiceConfig"}) {
    read_back[EnvironmentName(key)] = std::string(parsed.at(key).as_string());
  }
  read_back["LOG_FORMAT"] = std::string(parsed.at("Log").at("Format").as_string());
  read_back["SHARDS"] = Cat(parsed.at("Shards").as_int64());
  EXPECT_EQ(DescribeConfig(LoadConfig({}, read_back).value()), described);
}

TEST(DescribeConfig, ShowsNoSecret) {
  const std::string text =
      DescribeConfig(LoadConfig({},
                                {{"STORE_DRIVER", "redis"},
                                 {"STORE_HOST", "h"},
                                 {"STORE_PORT", "1"},
                                 {"STORE_PASSWORD", "hidden"},
                                 {"MICRO_SERVICE_DRIVER", "dtm-driver-kratos"},
                                 {"MICRO_SERVICE_TARGET", "etcd://u:hidden@h:1/x"}})
                         .value());
  EXPECT_THAT(text, Not(HasSubstr("hidden")));
  EXPECT_THAT(text, HasSubstr("\"Password\": \"******\""));
  EXPECT_THAT(text, HasSubstr("etcd://u:******@h:1/x"));
}

TEST(DescribeConfig, ShowsThatThereIsNoPassword) {
  EXPECT_THAT(DescribeConfig(LoadConfig({}, {}).value()), HasSubstr("\"Password\": \"\""));
}

TEST(MaskSecrets, LeavesUrlsWithoutSecretsAlone) {
  for (const char* url : {"",
                          "etcd://127.0.0.1:2379/dtmservice",
                          "etcd://h1:1,h2:2/x",
                          "h:1",
                          "consul://h:8500/x?tls=true&caPath=/ca.pem",
                          "grpc://[::1]:36790"}) {
    EXPECT_EQ(MaskSecrets(url), url);
  }
}

TEST(MaskSecrets, HidesPasswordsWhereverTheyStand) {
  EXPECT_EQ(MaskSecrets("etcd://u:hidden@h/x"), "etcd://u:******@h/x");
  EXPECT_EQ(MaskSecrets("etcd://:hidden@h/x"), "etcd://:******@h/x");
  EXPECT_EQ(MaskSecrets("etcd://u@h/x"), "etcd://u@h/x");
  EXPECT_EQ(MaskSecrets("u:hidden@h"), "u:******@h");
  EXPECT_EQ(MaskSecrets("etcd://u:hid@d/en@h/x"), "etcd://u:******@h/x");
  EXPECT_EQ(MaskSecrets("etcd://h/x?user=u&password=hidden&a=b"),
            "etcd://h/x?user=u&password=******&a=b");
  EXPECT_EQ(MaskSecrets("consul://h/x?Token=hidden"), "consul://h/x?Token=******");
  EXPECT_EQ(MaskSecrets(R"({"ClientConfig":{"Password":"hidden"}})"), "******");
}

}  // namespace
}  // namespace troth
