#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace troth {
namespace {

using std::chrono::hours;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

namespace fs = std::filesystem;

StatusOr<Config> FromEnvironment(const Environment& environment) {
  return LoadConfig({}, environment);
}

std::string ErrorOf(const Environment& environment) {
  const auto config = FromEnvironment(environment);
  EXPECT_FALSE(config.ok());
  return std::string(Message(config.status()));
}

std::vector<std::string> WarningsOf(const Environment& environment) {
  return FromEnvironment(environment).value().warnings;
}

// An environment with one server store, to which tests add.
Environment Store(std::string_view driver, const Environment& more) {
  Environment environment = {{"STORE_DRIVER", std::string(driver)}};
  environment.insert(more.begin(), more.end());
  return environment;
}

// An empty working directory, and configuration files in it.
class InFolder : public testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    folder_ = fs::temp_directory_path() /
              Cat("troth-config-test-",
                  getpid(),
                  "-",
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directory(folder_);
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }
  static StatusOr<Config> FromFile(std::string_view yaml, const Environment& environment = {}) {
    std::ofstream("conf.yml") << yaml;
    return LoadConfig("conf.yml", environment);
  }

  fs::path before_;
  fs::path folder_;
};

TEST(LoadConfig, NeedsNoConfiguration) {
  const Config config = FromEnvironment({}).value();
  EXPECT_EQ(config.http_port, 36789);
  EXPECT_EQ(config.grpc_port, 36790);
  EXPECT_EQ(config.shards, 0);
  EXPECT_EQ(config.retry_interval, Seconds(10));
  EXPECT_EQ(config.timeout_to_fail, Seconds(35));
  EXPECT_EQ(config.request_timeout, Seconds(3));
  EXPECT_EQ(config.store.driver, StoreDriver::kEmbedded);
  EXPECT_EQ(config.store.path, "troth-data");
  EXPECT_EQ(config.store.data_expire, hours(7 * 24));
  EXPECT_EQ(config.store.finished_data_expire, hours(24));
  EXPECT_EQ(config.micro_service.driver, "default");
  EXPECT_EQ(config.grpc_balance, GrpcBalance::kRoundRobin);
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_EQ(config.log.outputs, "stderr");
  EXPECT_FALSE(config.log.json);
  EXPECT_FALSE(config.log.rotate);
  EXPECT_EQ(config.log.rotate_max_mb, 100);
  EXPECT_EQ(config.utc_offset, std::nullopt);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(InFolder, FileWinsOverEnvironmentWhichWinsOverDefaults) {
  const Config config = FromFile("HttpPort: 3\n", {{"HTTP_PORT", "1"}, {"GRPC_PORT", "2"}}).value();
  EXPECT_EQ(config.http_port, 3);
  EXPECT_EQ(config.grpc_port, 2);
  EXPECT_EQ(config.request_timeout, Seconds(3));
}

TEST_F(InFolder, EveryTypedValueComesFromItsKey) {
  const Config config = FromFile(R"(
Store:
  Driver: postgres
  Host: db
  Port: 5432
  User: u
  Password: p
  Db: d
  Schema: s
  MaxOpenConns: 7
  MaxIdleConns: 8
  ConnMaxLifeTime: 9
  BatchMax: 20
  PurgeFinishedAfter: 21
  TlsMode: verify
  TlsCaPath: ca
  TlsCertPath: cert
  TlsCertKeyPath: key
RetryInterval: 11
RetryIntervalMax: 19
OutgoingTls: {CaPath: ca, CertPath: cert, CertKeyPath: key}
ListenTls: {CertPath: own, CertKeyPath: ownkey, ClientCaPath: clients}
TimeoutToFail: 12
RequestTimeout: 13
HttpPort: 14
GrpcPort: 15
Shards: 16
MicroService: {Driver: dtm-driver-kratos, Target: 'etcd://h/x', EndPoint: 'grpc://me:1'}
LogLevel: Error
Log:
  Format: json
  Outputs: stdout,a.log
  RotationEnable: 1
  RotationConfigJSON: '{"maxsize":17,"maxbackups":18}'
TimeZoneOffset: +8
)")
                            .value();
  EXPECT_EQ(config.store.driver, StoreDriver::kPostgres);
  EXPECT_EQ(config.store.host, "db");
  EXPECT_EQ(config.store.port, 5432);
  EXPECT_EQ(config.store.user, "u");
  EXPECT_EQ(config.store.password, "p");
  EXPECT_EQ(config.store.db, "d");
  EXPECT_EQ(config.store.schema, "s");
  EXPECT_EQ(config.store.max_open_conns, 7);
  EXPECT_EQ(config.store.max_idle_conns, 8);
  EXPECT_EQ(config.store.conn_max_lifetime, std::chrono::minutes(9));
  EXPECT_EQ(config.store.batch_max, 20);
  EXPECT_EQ(config.store.purge_finished_after, Seconds(21));
  EXPECT_EQ(config.store.tls.mode, StoreTlsMode::kVerify);
  EXPECT_EQ(config.store.tls.ca_path, "ca");
  EXPECT_EQ(config.store.tls.cert_path, "cert");
  EXPECT_EQ(config.store.tls.cert_key_path, "key");
  EXPECT_EQ(config.retry_interval, Seconds(11));
  EXPECT_EQ(config.retry_interval_max, Seconds(19));
  EXPECT_EQ(config.outgoing_tls.ca_path, "ca");
  EXPECT_EQ(config.outgoing_tls.cert_path, "cert");
  EXPECT_EQ(config.outgoing_tls.cert_key_path, "key");
  EXPECT_EQ(config.listen_tls.cert_path, "own");
  EXPECT_EQ(config.listen_tls.cert_key_path, "ownkey");
  EXPECT_EQ(config.listen_tls.client_ca_path, "clients");
  EXPECT_EQ(config.timeout_to_fail, Seconds(12));
  EXPECT_EQ(config.request_timeout, Seconds(13));
  EXPECT_EQ(config.http_port, 14);
  EXPECT_EQ(config.grpc_port, 15);
  EXPECT_EQ(config.shards, 16);
  EXPECT_EQ(config.micro_service.driver, "dtm-driver-kratos");
  EXPECT_EQ(config.micro_service.target, "etcd://h/x");
  EXPECT_EQ(config.micro_service.endpoint, "grpc://me:1");
  EXPECT_EQ(config.log.level, LogLevel::kError);
  EXPECT_TRUE(config.log.json);
  EXPECT_EQ(config.log.outputs, "stdout,a.log");
  EXPECT_TRUE(config.log.rotate);
  EXPECT_EQ(config.log.rotate_max_mb, 17);
  EXPECT_EQ(config.log.rotate_max_files, 18);
  EXPECT_EQ(config.utc_offset, hours(8));
  EXPECT_EQ(config.log.utc_offset, hours(8));
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(InFolder, RedisTakesItsOwnKeys) {
  const Config config = FromFile(
                            "Store: {Driver: redis, Host: 'h1:1,h2:2', Port: 1, DataExpire: 2, "
                            "FinishedDataExpire: 3, RedisPrefix: '{b}'}")
                            .value();
  EXPECT_EQ(config.store.driver, StoreDriver::kRedis);
  EXPECT_EQ(config.store.host, "h1:1,h2:2");
  EXPECT_EQ(config.store.data_expire, Seconds(2));
  EXPECT_EQ(config.store.finished_data_expire, Seconds(3));
  EXPECT_EQ(config.store.redis_prefix, "{b}");
}

TEST(Rules, OfTimesAreThoseOfDtm) {
  EXPECT_EQ(ErrorOf({{"RETRY_INTERVAL", "9"}}), "RetryInterval should not be less than 10");
  EXPECT_EQ(ErrorOf({{"RETRY_INTERVAL", "-1"}}), "RetryInterval should not be less than 10");
  EXPECT_EQ(ErrorOf({{"TIMEOUT_TO_FAIL", "9"}}),
            "TimeoutToFail should not be less than RetryInterval");
  EXPECT_TRUE(FromEnvironment({{"RETRY_INTERVAL", "10"}, {"TIMEOUT_TO_FAIL", "10"}}).ok());
}

TEST(Rules, OfSqlStoresAreThoseOfDtm) {
  for (const char* driver : {"mysql", "postgres"}) {
    EXPECT_EQ(ErrorOf(Store(driver, {})), "Db host not valid ");
    EXPECT_EQ(ErrorOf(Store(driver, {{"STORE_HOST", "h"}})), "Db port not valid ");
    EXPECT_EQ(ErrorOf(Store(driver, {{"STORE_HOST", "h"}, {"STORE_PORT", "1"}})),
              "Db user not valid ");
    const Environment right = {{"STORE_HOST", "h"}, {"STORE_PORT", "1"}, {"STORE_USER", "u"}};
    EXPECT_TRUE(FromEnvironment(Store(driver, right)).ok());
  }
}

TEST_F(InFolder, AnEmptySchemaIsWrongForMysqlToo) {
  for (const char* driver : {"mysql", "postgres"}) {
    const auto config =
        FromFile(Cat("Store: {Driver: ", driver, ", Host: h, Port: 1, User: u, Schema: ''}"));
    EXPECT_EQ(Message(config.status()), "Postgres schema not valid");
  }
}

TEST(Rules, OfRedisAreThoseOfDtm) {
  EXPECT_EQ(ErrorOf(Store("redis", {})), "Redis host not valid");
  EXPECT_EQ(ErrorOf(Store("redis", {{"STORE_HOST", "h"}})), "Redis port not valid");
  EXPECT_TRUE(FromEnvironment(Store("redis", {{"STORE_HOST", "h"}, {"STORE_PORT", "1"}})).ok());
}

TEST(Rules, AreCheckedInTheOrderOfDtm) {
  EXPECT_EQ(ErrorOf(Store("mysql", {{"RETRY_INTERVAL", "1"}, {"HTTP_PORT", "99999"}})),
            "RetryInterval should not be less than 10");
  EXPECT_EQ(ErrorOf(Store("oracle", {{"TIMEOUT_TO_FAIL", "1"}})),
            "TimeoutToFail should not be less than RetryInterval");
}

TEST(Rules, AnUnknownDriverIsToldTheKnownOnes) {
  for (const char* driver : {"sqlserver", "oracle", "Redis", "REDIS"}) {
    EXPECT_EQ(ErrorOf(Store(driver, {})),
              Cat("Store.Driver ",
                  driver,
                  " is not known; use one of embedded, boltdb, rocksdb, memory, redis, mysql, "
                  "postgres"));
  }
}

TEST(Rules, TheEmbeddedStoreHasThreeNames) {
  for (const char* driver : {"embedded", "boltdb", "rocksdb"}) {
    EXPECT_EQ(FromEnvironment(Store(driver, {}))->store.driver, StoreDriver::kEmbedded);
  }
}

TEST(Rules, EveryNumberHasItsRange) {
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kInteger || !key.unused_because.empty() || !key.stores.empty())
      continue;
    // The rules of dtm on RetryInterval and TimeoutToFail come first at the lower end.
    if (key.high == std::numeric_limits<int64_t>::max()) continue;
    const std::string message =
        ErrorOf({{EnvironmentName(key.name), Cat(key.high + 1)},
                 {"TIMEOUT_TO_FAIL", key.name == "RetryInterval" ? Cat(key.high + 1) : ""}});
    EXPECT_THAT(message, HasSubstr(Cat("should be from ", key.low, " to ", key.high))) << key.name;
  }
  EXPECT_EQ(ErrorOf({{"HTTP_PORT", "-1"}}), "HttpPort should be from 0 to 65535, not -1");
  EXPECT_EQ(ErrorOf({{"REQUEST_TIMEOUT", "0"}}),
            "RequestTimeout should be from 1 to 31622400, not 0");
  EXPECT_EQ(ErrorOf({{"STORE_DATA_EXPIRE", "-1"}}),
            "Store.DataExpire should be from 0 to 3162240000, not -1");
}

TEST(Rules, ANumberWithoutEffectHasNoRange) {
  EXPECT_TRUE(FromEnvironment({{"STORE_PORT", "99999"}, {"JSON_RPC_PORT", "99999"}}).ok());
}

TEST_F(InFolder, TheEmbeddedStoreNeedsAPath) {
  EXPECT_EQ(Message(FromFile("Store: {Path: ''}").status()), "Store.Path should not be empty");
}

TEST(Rules, OfTheLog) {
  EXPECT_EQ(FromEnvironment({{"LOG_LEVEL", "WARN"}})->log.level, LogLevel::kWarn);
  EXPECT_EQ(FromEnvironment({{"LOG_LEVEL", "debug"}})->log.level, LogLevel::kDebug);
  EXPECT_EQ(FromEnvironment({{"LOG_LEVEL", "dpanic"}})->log.level, LogLevel::kError);
  EXPECT_THAT(ErrorOf({{"LOG_LEVEL", "loud"}}), StartsWith("unrecognized level: \"loud\""));
  EXPECT_EQ(ErrorOf({{"LOG_FORMAT", "xml"}}), "Log.Format should be text or json, not xml");
}

TEST(Rules, OfLogRotation) {
  const auto rotation = [](const char* json) {
    return Environment{{"LOG_ROTATION_CONFIG_JSON", json}};
  };
  EXPECT_EQ(FromEnvironment(rotation(R"({"maxsize":0})"))->log.rotate_max_mb, 100);
  EXPECT_EQ(FromEnvironment(rotation(R"({"maxsize":null})"))->log.rotate_max_mb, 100);
  EXPECT_THAT(ErrorOf(rotation("{")), StartsWith("Log.RotationConfigJSON is not JSON"));
  EXPECT_THAT(ErrorOf(rotation("[]")), HasSubstr("should be a JSON object"));
  for (const char* json : {R"({"maxsize":"1"})",
                           R"({"maxsize":-1})",
                           R"({"maxsize":1.5})",
                           R"({"maxsize":99999999})"}) {
    EXPECT_THAT(ErrorOf(rotation(json)), HasSubstr("maxsize should be a number")) << json;
  }
  EXPECT_THAT(WarningsOf(rotation(R"({"compress":true})")),
              ElementsAre(StartsWith("Log.RotationConfigJSON: compress has no effect")));
}

TEST(Rules, OfTheTimeZone) {
  EXPECT_EQ(FromEnvironment({{"TIME_ZONE_OFFSET", "0"}})->utc_offset, hours(0));
  EXPECT_EQ(FromEnvironment({{"TIME_ZONE_OFFSET", "-3"}})->utc_offset, hours(-3));
  for (const char* text : {"eight", "+5:30", "24", "-24"}) {
    EXPECT_EQ(ErrorOf({{"TIME_ZONE_OFFSET", text}}),
              Cat("TimeZoneOffset should be whole hours such as +8, not ", text));
  }
}

TEST(Rules, OfTheGrpcServiceConfig) {
  const auto service = [](const char* json) { return Environment{{"GRPC_SERVICE_CONFIG", json}}; };
  EXPECT_EQ(FromEnvironment(service(R"({"loadBalancingConfig":[{"other":{}},
                {"least_request_experimental":{}},{"round_robin":{}}]})"))
                ->grpc_balance,
            GrpcBalance::kLeastLoaded);
  EXPECT_THAT(ErrorOf(service("round_robin")), StartsWith("GrpcServiceConfig is not JSON"));
  EXPECT_THAT(WarningsOf(service(R"({"loadBalancingConfig":[{"pick_first":{}}]})")),
              ElementsAre(HasSubstr("round_robin is used")));
  EXPECT_THAT(WarningsOf(service(R"({"loadBalancingConfig":7,"methodConfig":[]})")),
              ElementsAre(HasSubstr("methodConfig has no effect"), HasSubstr("names no policy")));
  EXPECT_THAT(WarningsOf(service("{}")), IsEmpty());
}

TEST_F(InFolder, AnEmptyGrpcServiceConfigIsTheDefault) {
  const Config config = FromFile("GrpcServiceConfig: ''").value();
  EXPECT_EQ(config.grpc_balance, GrpcBalance::kRoundRobin);
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Warnings, NameEveryKeyWithoutEffectThatIsSet) {
  for (const Key& key : Keys()) {
    if (key.unused_because.empty()) continue;
    EXPECT_THAT(WarningsOf({{EnvironmentName(key.name), "5"}}),
                ElementsAre(Cat(key.name, " has no effect: ", key.unused_because)));
  }
}

TEST(Warnings, NameKeysOfOtherStores) {
  EXPECT_THAT(WarningsOf({{"STORE_MAX_OPEN_CONNS", "5"}}),
              ElementsAre("Store.MaxOpenConns has no effect: the store embedded does not use it; "
                          "it is for mysql, postgres"));
  EXPECT_THAT(WarningsOf(Store("mysql",
                               {{"STORE_HOST", "h"},
                                {"STORE_PORT", "1"},
                                {"STORE_USER", "u"},
                                {"STORE_MAX_OPEN_CONNS", "5"},
                                {"STORE_PATH", "x"}})),
              ElementsAre(StartsWith("Store.Path has no effect")));
}

TEST(Warnings, NameVariablesOfDtmWithoutEffect) {
  EXPECT_THAT(WarningsOf({{"IS_DOCKER", "1"}, {"HTTP_PROXY", ""}}),
              ElementsAre(StartsWith("environment variable IS_DOCKER has no effect")));
}

TEST(Warnings, SayThatTheMemoryStoreIsNotDurable) {
  EXPECT_THAT(WarningsOf(Store("memory", {})), ElementsAre(HasSubstr("keeps nothing")));
}

TEST(Warnings, SayThatTheDefaultDriverIgnoresTheTarget) {
  EXPECT_THAT(WarningsOf({{"MICRO_SERVICE_TARGET", "etcd://h/x"}}),
              ElementsAre(StartsWith("MicroService.Target has no effect")));
}

TEST_F(InFolder, ADtmStoreIsMentionedWhereItWouldBeExpectedToBeRead) {
  std::ofstream("dtm.bolt") << "x";
  EXPECT_THAT(WarningsOf({}), ElementsAre(HasSubstr("dtm.bolt")));
  EXPECT_THAT(WarningsOf(Store("boltdb", {})), ElementsAre(HasSubstr("dtm.bolt")));
  EXPECT_THAT(WarningsOf(Store("embedded", {})), IsEmpty());
}

TEST_F(InFolder, UnknownKeysAreWarningsOfTheConfig) {
  EXPECT_THAT(FromFile("Httpport: 1\n")->warnings, Contains(HasSubstr("did you mean HttpPort?")));
}

TEST(Failures, AreToldAsDtmTellsThem) {
  const auto tell = [](const Environment& environment,
                       const std::optional<std::string>& file = {}) {
    return TellConfigFailure(LoadConfig(file, environment).status());
  };
  const ConfigFailure rule = tell({{"RETRY_INTERVAL", "1"}});
  EXPECT_THAT(rule.text,
              StartsWith("config error: 'RetryInterval should not be less than 10'.\n\t"));
  EXPECT_EQ(rule.exit_code, 1);
  const ConfigFailure missing = tell({}, "no-such.yml");
  EXPECT_EQ(missing.text, "fatal error: open no-such.yml: no such file or directory\n");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(tell({{"LOG_LEVEL", "x"}}).exit_code, 1);
  EXPECT_THAT(tell({{"LOG_LEVEL", "x"}}).text,
              StartsWith("fatal error: unrecognized level: \"x\""));
  EXPECT_EQ(tell({{"HTTP_PORT", "x"}}).exit_code, 2);
  EXPECT_EQ(tell({{"TIME_ZONE_OFFSET", "x"}}).exit_code, 2);
}

}  // namespace
}  // namespace troth
