#include "discovery/instance_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ServiceInstance Instance() {
  ServiceInstance instance;
  instance.id = "98030db9-e590-11f1-94d1-2608aa120d15";
  instance.name = "drvsvc";
  instance.endpoints = {"grpc://127.0.0.1:37071"};
  return instance;
}

TEST(EncodeInstance, WritesTheBytesOfTheKratosDriver) {
  EXPECT_EQ(EncodeInstance(Instance()),
            R"({"id":"98030db9-e590-11f1-94d1-2608aa120d15","name":"drvsvc","version":"",)"
            R"("metadata":null,"endpoints":["grpc://127.0.0.1:37071"]})");
  EXPECT_EQ(InstanceKey(Instance()), "/microservices/drvsvc/98030db9-e590-11f1-94d1-2608aa120d15");
}

TEST(EncodeInstance, WritesTheBytesOfAKratosService) {
  ServiceInstance instance = Instance();
  instance.id = "12e304b2";
  instance.name = "hello";
  instance.version = "v1.2";
  instance.metadata = {{"z<", "&"}, {"weight", "20"}};
  instance.endpoints = {"grpc://127.0.0.1:42955", "http://192.0.2.2:37045"};
  EXPECT_EQ(EncodeInstance(instance),
            R"({"id":"12e304b2","name":"hello","version":"v1.2",)"
            R"("metadata":{"weight":"20","z\u003c":"\u0026"},)"
            R"("endpoints":["grpc://127.0.0.1:42955","http://192.0.2.2:37045"]})");
}

TEST(EncodeInstance, TellsEmptyMetadataFromNone) {
  ServiceInstance instance = Instance();
  instance.metadata_null = false;
  EXPECT_THAT(EncodeInstance(instance), HasSubstr(R"("metadata":{})"));
}

TEST(EncodeInstance, EscapesAsGoDoes) {
  ServiceInstance instance = Instance();
  instance.version = "\"\\\n\r\t\x01>\u2028\u2029\xff\u00e9/";
  EXPECT_THAT(EncodeInstance(instance),
              HasSubstr("\"version\":\"\\\"\\\\\\n\\r\\t\\u0001\\u003e\\u2028\\u2029"
                        "\uFFFD\u00e9/\""));
}

TEST(DecodeInstance, ReadsBackWhatWasWritten) {
  ServiceInstance instance = Instance();
  EXPECT_EQ(DecodeInstance(EncodeInstance(instance)).value(), instance);
  instance.metadata = {{"a", "<\"\n"}, {"b", ""}};
  instance.metadata_null = false;
  EXPECT_EQ(DecodeInstance(EncodeInstance(instance)).value(), instance);
}

TEST(DecodeInstance, TakesMissingFieldsForEmptyAndSkipsUnknownOnes) {
  const auto instance = DecodeInstance(R"({"name":"n","endpoints":null,"x":{"y":[1]}})");
  ASSERT_TRUE(instance.ok());
  EXPECT_EQ(instance->name, "n");
  EXPECT_TRUE(instance->endpoints.empty());
}

TEST(DecodeInstance, RefusesGarbage) {
  for (std::string_view text : {"",
                                "garbage",
                                "[]",
                                "1",
                                R"({"name":1})",
                                R"({"endpoints":"x"})",
                                R"({"endpoints":[1]})",
                                R"({"metadata":{"a":1}})",
                                R"({"name":"n"} x)",
                                "{\"name\":\"\xff\"}"}) {
    EXPECT_FALSE(DecodeInstance(text).ok()) << text;
  }
}

TEST(DecodeInstance, SurvivesAnyBytes) {
  Random random(11);
  const std::string seed = EncodeInstance(Instance());
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (uint64_t edits = random.Below(4) + 1; edits > 0; --edits) {
      text[random.Below(text.size())] = static_cast<char>(random.Below(256));
    }
    text.resize(random.Below(text.size() + 1));
    if (const auto instance = DecodeInstance(text); instance.ok()) EncodeInstance(*instance);
  }
}

}  // namespace
}  // namespace troth
