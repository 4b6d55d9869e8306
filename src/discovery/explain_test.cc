#include "discovery/explain.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>

#include "net/net_testing.h"

namespace troth {
namespace {

TEST(TargetOf, TakesNamesAddressesAndWholeUrls) {
  const std::pair<std::string_view, std::string_view> kRows[] = {
      {"trans", "discovery:///trans"},
      {"h:9000", "h:9000"},
      {"h:9000/api.trans.v1.Trans/TransIn", "h:9000"},
      {"discovery:///trans", "discovery:///trans"},
      {"discovery:///trans/api.trans.v1.Trans/TransIn", "discovery:///trans"},
      {"consul://h:8500/trans/api/in?x=1", "consul://h:8500/trans"},
      {"dns:///svc:9000", "dns:///svc:9000"},
      {"grpc://h:9000/a.B/C", "h:9000"},
  };
  for (const auto& [text, target] : kRows) {
    const auto got = TargetOf(text);
    ASSERT_TRUE(got.ok()) << text << ": " << Message(got.status());
    EXPECT_EQ(*got, target) << text;
  }
  for (const char* text : {"http://h/a", "gopher:///x", "discovery://h"}) {
    EXPECT_FALSE(TargetOf(text).ok()) << text;
  }
}

class ExplainTest : public testing::Test {
 protected:
  Explanation Ask(const std::string& target, Duration patience = Seconds(5)) {
    std::promise<Explanation> answer;
    thread_.Do([&] {
      Explain(*directory_, thread_.loop(), target, patience, [&](Explanation explanation) {
        answer.set_value(std::move(explanation));
      });
    });
    return answer.get_future().get();
  }
  ~ExplainTest() override {
    thread_.Do([this] { directory_.reset(); });
  }

  net::LoopThread thread_;
  std::unique_ptr<Directory> directory_ =
      std::make_unique<Directory>(thread_.loop(), RegistryTarget{});
};

TEST_F(ExplainTest, TellsThatAnEndpointCannotBeReached) {
  const Explanation got = Ask("127.0.0.1:1");
  EXPECT_EQ(got.registry, "none; the address names its endpoints");
  ASSERT_EQ(got.grpc.size(), 1u);
  EXPECT_FALSE(got.grpc[0].connected);
  EXPECT_NE(got.grpc[0].trouble.find("refused"), std::string::npos) << got.grpc[0].trouble;
}

TEST_F(ExplainTest, TellsWhatARegistryDoesNotAnswer) {
  const Explanation got = Ask("consul://127.0.0.1:1/trans", std::chrono::milliseconds(300));
  EXPECT_NE(got.error.find("refused"), std::string::npos) << got.error;
  EXPECT_NE(got.registry.find("consul at 127.0.0.1:1"), std::string::npos) << got.registry;
  EXPECT_TRUE(got.grpc.empty());
}

TEST_F(ExplainTest, TellsThatNoRegistryIsConfigured) {
  EXPECT_NE(Ask("discovery:///trans").error.find("no registry is configured"), std::string::npos);
}

}  // namespace
}  // namespace troth
