#include "server/store_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troth {
namespace {

// No name server is asked for a name with a space in it.
TEST(StoreHosts, AreKnownWhenOneOfThemIs) {
  for (const std::string_view hosts : {"localhost",
                                       "127.0.0.1",
                                       "::1",
                                       "[::1]:6379",
                                       "no host:6379, localhost:6379",
                                       "/var/run/postgresql"}) {
    EXPECT_TRUE(CheckHostsAreKnown(hosts).ok()) << hosts << ": " << CheckHostsAreKnown(hosts);
  }
}

TEST(StoreHosts, AreToBeCorrectedWhenNoneIsKnown) {
  const Status unknown = CheckHostsAreKnown("no host,neither this:6379");
  EXPECT_EQ(unknown.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Message(unknown)), testing::HasSubstr("correct Store.Host"));
}

}  // namespace
}  // namespace troth
