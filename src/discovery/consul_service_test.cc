#include "discovery/consul_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(EncodeConsulService, WritesWhatDtmWrites) {
  ServiceInstance instance;
  instance.name = "dtmservice";
  instance.endpoints = {"grpc://localhost:36790", "http://localhost:36789"};
  EXPECT_EQ(
      EncodeConsulService(instance),
      R"({"Name":"dtmservice","Tags":["version="],"Port":36790,"Address":"localhost",)"
      R"("TaggedAddresses":{"grpc":{"Address":"grpc://localhost:36790","Port":36790},)"
      R"("http":{"Address":"http://localhost:36789","Port":36789}},"Check":null,"Checks":[)"
      R"({"Interval":"10s","Timeout":"5s","TCP":"localhost:36790","DeregisterCriticalServiceAfter":"600s"},)"
      R"({"Interval":"10s","Timeout":"5s","TCP":"localhost:36789","DeregisterCriticalServiceAfter":"600s"},)"
      R"({"CheckID":"service:","TTL":"20s","DeregisterCriticalServiceAfter":"600s"}]})");
}

TEST(EncodeConsulService, WritesWhatKratosWrites) {
  ServiceInstance instance;
  instance.id = "17bb";
  instance.name = "hello";
  instance.version = "v1.2";
  instance.metadata = {{"z<", "&"}, {"weight", "20"}};
  instance.endpoints = {"grpc://127.0.0.1:33533", "http://[fd00::2]:40323"};
  EXPECT_EQ(
      EncodeConsulService(instance),
      R"({"ID":"17bb","Name":"hello","Tags":["version=v1.2"],"Port":33533,"Address":"127.0.0.1",)"
      R"("TaggedAddresses":{"grpc":{"Address":"grpc://127.0.0.1:33533","Port":33533},)"
      R"("http":{"Address":"http://[fd00::2]:40323","Port":40323}},)"
      R"("Meta":{"weight":"20","z\u003c":"\u0026"},"Check":null,"Checks":[)"
      R"({"Interval":"10s","Timeout":"5s","TCP":"127.0.0.1:33533","DeregisterCriticalServiceAfter":"600s"},)"
      R"({"Interval":"10s","Timeout":"5s","TCP":"[fd00::2]:40323","DeregisterCriticalServiceAfter":"600s"},)"
      R"({"CheckID":"service:17bb","TTL":"20s","DeregisterCriticalServiceAfter":"600s"}]})");
}

TEST(EncodeConsulService, KeepsTheLastUrlOfAScheme) {
  ServiceInstance instance;
  instance.endpoints = {"grpc://a:1", "grpc://b:2"};
  const std::string body = EncodeConsulService(instance);
  EXPECT_THAT(body, testing::HasSubstr(R"("Port":1,"Address":"a")"));
  EXPECT_THAT(body, testing::HasSubstr(R"({"grpc":{"Address":"grpc://b:2","Port":2}})"));
}

TEST(DecodeConsulHealth, ReadsWhatKratosRegistered) {
  const auto instances = DecodeConsulHealth(
      R"([{"Node":{"Address":"10.0.0.9"},"Service":{"ID":"1","Service":"trans","Tags":["x","version=v2"],)"
      R"("Address":"10.0.0.1","Port":9000,"Meta":{"weight":"20"},"TaggedAddresses":{)"
      R"("grpc":{"Address":"grpc://10.0.0.1:9000","Port":9000},)"
      R"("http":{"Address":"http://10.0.0.1:8000","Port":8000},)"
      R"("lan_ipv4":{"Address":"10.0.0.1","Port":9000}}}}])");
  ASSERT_TRUE(instances.ok()) << Message(instances.status());
  ASSERT_EQ(instances->size(), 1u);
  const ServiceInstance& instance = instances->front();
  EXPECT_EQ(instance.id, "1");
  EXPECT_EQ(instance.name, "trans");
  EXPECT_EQ(instance.version, "v2");
  EXPECT_THAT(instance.metadata, ElementsAre(Pair("weight", "20")));
  EXPECT_THAT(instance.endpoints, ElementsAre("grpc://10.0.0.1:9000", "http://10.0.0.1:8000"));
}

TEST(DecodeConsulHealth, TakesOtherServicesAtTheirAddress) {
  const auto instances = DecodeConsulHealth(
      R"([{"Node":{"Address":"fd00::9"},"Service":{"Service":"a","Address":"","Port":80,"Tags":null}},)"
      R"({"Service":{"Service":"a","Address":"h","Port":1,"TaggedAddresses":{"grpc":{"Address":"g","Port":2}}}}])");
  ASSERT_TRUE(instances.ok()) << Message(instances.status());
  EXPECT_THAT((*instances)[0].endpoints, ElementsAre("grpc://[fd00::9]:80", "http://[fd00::9]:80"));
  EXPECT_THAT((*instances)[1].endpoints, ElementsAre("grpc://g:2"));
}

TEST(DecodeConsulHealth, RefusesWhatIsNoAnswer) {
  EXPECT_THAT(*DecodeConsulHealth("[]"), IsEmpty());
  for (const char* text : {"", "{}", "[1]", R"([{"Node":{}}])", "no path to datacenter"}) {
    EXPECT_EQ(DecodeConsulHealth(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace troth
