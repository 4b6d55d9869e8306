#include "discovery/endpoint_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ServiceInstance With(std::vector<std::string> endpoints) {
  ServiceInstance instance;
  instance.name = "trans";
  instance.endpoints = std::move(endpoints);
  return instance;
}

Endpoint Plain(std::string address) { return {.address = std::move(address), .secure = false}; }
Endpoint Secure(std::string address) { return {.address = std::move(address), .secure = true}; }

TEST(ChooseEndpoints, TakesTheFirstOfTheSchemeWhereverItStands) {
  const std::vector<ServiceInstance> instances = {
      With({"grpc://10.0.0.1:1", "http://10.0.0.1:2"}),
      With({"http://10.0.0.2:2", "grpc://10.0.0.2:1", "grpc://10.0.0.2:3"}),
      With({"grpc://[fd00::2]:9000"}),
  };
  EXPECT_THAT(ChooseEndpoints(instances, "grpc", false),
              ElementsAre(Plain("10.0.0.1:1"), Plain("10.0.0.2:1"), Plain("[fd00::2]:9000")));
  EXPECT_THAT(ChooseEndpoints(instances, "http", false),
              ElementsAre(Plain("10.0.0.1:2"), Plain("10.0.0.2:2")));
}

TEST(ChooseEndpoints, SkipsSecureEndpointsUnlessTlsIsConfigured) {
  const std::vector<ServiceInstance> instances = {
      With({"grpc://a:1?isSecure=true"}),
      With({"grpcs://b:1"}),
      With({"grpc://c:1?isSecure=false"}),
      With({"grpc://d:1", "grpcs://d:2"}),
  };
  EXPECT_THAT(ChooseEndpoints(instances, "grpc", false), ElementsAre(Plain("c:1"), Plain("d:1")));
  EXPECT_THAT(ChooseEndpoints(instances, "grpc", true),
              ElementsAre(Secure("a:1"), Secure("b:1"), Plain("c:1"), Secure("d:2")));
}

TEST(ChooseEndpoints, KeepsEachAddressOnce) {
  EXPECT_THAT(ChooseEndpoints({With({"grpc://a:1"}), With({"grpc://a:1"})}, "grpc", false),
              ElementsAre(Plain("a:1")));
}

TEST(ChooseEndpoints, LeavesOutWhatCannotBeDialled) {
  EXPECT_THAT(
      ChooseEndpoints(
          {With({}), With({""}), With({"localhost:1"}), With({"grpc://a"}), With({"grpc://%zz:1"})},
          "grpc",
          false),
      IsEmpty());
}

TEST(ChooseEndpoints, ReadsTheWeightFromMetadata) {
  ServiceInstance weighted = With({"grpc://a:1"});
  weighted.metadata = {{"weight", "20"}};
  ServiceInstance odd = With({"grpc://b:1"});
  odd.metadata = {{"weight", "heavy"}};
  const auto endpoints = ChooseEndpoints({weighted, odd}, "grpc", false);
  ASSERT_EQ(endpoints.size(), 2u);
  EXPECT_EQ(endpoints[0].weight, 20);
  EXPECT_EQ(endpoints[1].weight, 100);
}

}  // namespace
}  // namespace troth
