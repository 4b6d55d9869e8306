#include "config/keys.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/text.h"

namespace troth {
namespace {

TEST(Keys, HaveTheNamesTypesAndDefaultsOfDtm) {
  struct Expected {
    std::string_view environment;
    KeyType type;
    std::string_view default_value;
  };
  constexpr KeyType kText = KeyType::kText;
  constexpr KeyType kInteger = KeyType::kInteger;
  const std::map<std::string_view, Expected> dtm = {
      {"Store.Driver", {"STORE_DRIVER", kText, "boltdb"}},
      {"Store.Host", {"STORE_HOST", kText, ""}},
      {"Store.Port", {"STORE_PORT", kInteger, "0"}},
      {"Store.User", {"STORE_USER", kText, ""}},
      {"Store.Password", {"STORE_PASSWORD", kText, ""}},
      {"Store.Db", {"STORE_DB", kText, "dtm"}},
      {"Store.Schema", {"STORE_SCHEMA", kText, "public"}},
      {"Store.MaxOpenConns", {"STORE_MAX_OPEN_CONNS", kInteger, "500"}},
      {"Store.MaxIdleConns", {"STORE_MAX_IDLE_CONNS", kInteger, "500"}},
      {"Store.ConnMaxLifeTime", {"STORE_CONN_MAX_LIFE_TIME", kInteger, "5"}},
      {"Store.DataExpire", {"STORE_DATA_EXPIRE", kInteger, "604800"}},
      {"Store.FinishedDataExpire", {"STORE_FINISHED_DATA_EXPIRE", kInteger, "86400"}},
      {"Store.RedisPrefix", {"STORE_REDIS_PREFIX", kText, "{a}"}},
      {"TransCronInterval", {"TRANS_CRON_INTERVAL", kInteger, "3"}},
      {"TimeoutToFail", {"TIMEOUT_TO_FAIL", kInteger, "35"}},
      {"RetryInterval", {"RETRY_INTERVAL", kInteger, "10"}},
      {"RequestTimeout", {"REQUEST_TIMEOUT", kInteger, "3"}},
      {"HttpPort", {"HTTP_PORT", kInteger, "36789"}},
      {"GrpcPort", {"GRPC_PORT", kInteger, "36790"}},
      {"JsonRpcPort", {"JSON_RPC_PORT", kInteger, "36791"}},
      {"MicroService.Driver", {"MICRO_SERVICE_DRIVER", kText, "default"}},
      {"MicroService.Target", {"MICRO_SERVICE_TARGET", kText, ""}},
      {"MicroService.EndPoint", {"MICRO_SERVICE_END_POINT", kText, ""}},
      {"HttpMicroService.Driver", {"HTTP_MICRO_SERVICE_DRIVER", kText, "default"}},
      {"HttpMicroService.RegistryType", {"HTTP_MICRO_SERVICE_REGISTRY_TYPE", kText, ""}},
      {"HttpMicroService.RegistryAddress", {"HTTP_MICRO_SERVICE_REGISTRY_ADDRESS", kText, ""}},
      {"HttpMicroService.RegistryOptions", {"HTTP_MICRO_SERVICE_REGISTRY_OPTIONS", kText, "{}"}},
      {"HttpMicroService.Target", {"HTTP_MICRO_SERVICE_TARGET", kText, ""}},
      {"HttpMicroService.EndPoint", {"HTTP_MICRO_SERVICE_END_POINT", kText, ""}},
      {"UpdateBranchSync", {"UPDATE_BRANCH_SYNC", kInteger, "1"}},
      {"UpdateBranchAsyncGoroutineNum", {"UPDATE_BRANCH_ASYNC_GOROUTINE_NUM", kInteger, "1"}},
      {"LogLevel", {"LOG_LEVEL", kText, "info"}},
      {"Log.Outputs", {"LOG_OUTPUTS", kText, "stderr"}},
      {"Log.RotationEnable", {"LOG_ROTATION_ENABLE", kInteger, "0"}},
      {"Log.RotationConfigJSON", {"LOG_ROTATION_CONFIG_JSON", kText, "{}"}},
      {"TimeZoneOffset", {"TIME_ZONE_OFFSET", kText, ""}},
      {"ConfigUpdateInterval", {"CONFIG_UPDATE_INTERVAL", kInteger, "3"}},
      {"AlertRetryLimit", {"ALERT_RETRY_LIMIT", kInteger, "3"}},
      {"AlertWebHook", {"ALERT_WEB_HOOK", kText, ""}},
      {"AdminBasePath", {"ADMIN_BASE_PATH", kText, ""}},
      {"GrpcServiceConfig",
       {"GRPC_SERVICE_CONFIG", kText, R"({"loadBalancingConfig": [{"round_robin":{}}]})"}},
  };
  for (const auto& [name, expected] : dtm) {
    const Key* key = FindKey(name);
    ASSERT_NE(key, nullptr) << name;
    EXPECT_EQ(EnvironmentName(name), expected.environment);
    EXPECT_EQ(key->type, expected.type) << name;
    EXPECT_EQ(key->default_value, expected.default_value) << name;
  }
  const std::set<std::string_view> ours = {"Store.Path",
                                           "Store.BatchMax",
                                           "Store.PurgeFinishedAfter",
                                           "Store.TlsMode",
                                           "Store.TlsCaPath",
                                           "Store.TlsCertPath",
                                           "Store.TlsCertKeyPath",
                                           "Store.SentinelMaster",
                                           "Store.SentinelPassword",
                                           "Store.RedisWaitReplicas",
                                           "Store.RedisWaitTimeout",
                                           "MicroService.Weight",
                                           "OutgoingTls.CaPath",
                                           "OutgoingTls.CertPath",
                                           "OutgoingTls.CertKeyPath",
                                           "ListenTls.CertPath",
                                           "ListenTls.CertKeyPath",
                                           "ListenTls.ClientCaPath",
                                           "WaitResultStrict",
                                           "RetryIntervalMax",
                                           "Shards",
                                           "Log.Format"};
  for (const Key& key : Keys()) {
    EXPECT_TRUE(dtm.contains(key.name) || ours.contains(key.name)) << key.name;
  }
  EXPECT_EQ(Keys().size(), dtm.size() + ours.size());
}

TEST(Keys, HaveDefaultsWithinTheirRange) {
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kInteger) continue;
    const auto value = ParseInt(key.default_value);
    ASSERT_TRUE(value.has_value()) << key.name;
    EXPECT_GE(*value, key.low) << key.name;
    EXPECT_LE(*value, key.high) << key.name;
  }
}

TEST(Keys, AreFoundByTheirExactName) {
  EXPECT_NE(FindKey("HttpPort"), nullptr);
  EXPECT_EQ(FindKey("httpport"), nullptr);
  EXPECT_EQ(FindKey("Store"), nullptr);
  EXPECT_TRUE(IsSection("Store"));
  EXPECT_FALSE(IsSection("store"));
  EXPECT_FALSE(IsSection("HttpPort"));
  EXPECT_FALSE(IsSection(""));
}

TEST(ClosestName, FindsWhatWasMeant) {
  EXPECT_EQ(ClosestName("httpport"), "HttpPort");
  EXPECT_EQ(ClosestName("HttpPrt"), "HttpPort");
  EXPECT_EQ(ClosestName("MicroService.Endpoint"), "MicroService.EndPoint");
  EXPECT_EQ(ClosestName("store"), "Store");
  EXPECT_EQ(ClosestName("Microservice"), "MicroService");
  EXPECT_EQ(ClosestName("Log.Level"), "LogLevel");
}

TEST(ClosestName, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(ClosestName("GrpcBalancer"), "");
  EXPECT_EQ(ClosestName("x"), "");
  EXPECT_EQ(ClosestName(""), "");
  EXPECT_EQ(ClosestName(std::string(1000, 'x')), "");
}

}  // namespace
}  // namespace troth
