#include "server/store_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace troth {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ErrorOf(const std::string& text) {
  const auto config = ParseStoreLocation(text);
  EXPECT_FALSE(config.ok()) << text;
  return std::string(Message(config.status()));
}

TEST(StoreLocation, ReadsAUrlOfPostgres) {
  const auto config =
      ParseStoreLocation("postgres://me:p%40ss@db.example:6432/transactions?schema=dtm");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->driver, StoreDriver::kPostgres);
  EXPECT_EQ(config->user, "me");
  EXPECT_EQ(config->password, "p@ss");
  EXPECT_EQ(config->host, "db.example");
  EXPECT_EQ(config->port, 6432);
  EXPECT_EQ(config->db, "transactions");
  EXPECT_EQ(config->schema, "dtm");
  EXPECT_THAT(DescribeStoreLocation(*config), Not(HasSubstr("p@ss")));
}

TEST(StoreLocation, HasDefaultsForWhatAUrlLeavesOut) {
  const auto mysql = ParseStoreLocation("mysql://root@127.0.0.1");
  ASSERT_TRUE(mysql.ok()) << mysql.status();
  EXPECT_EQ(mysql->user, "root");
  EXPECT_EQ(mysql->password, "");
  EXPECT_EQ(mysql->port, 3306);
  EXPECT_EQ(mysql->db, "dtm");
  const auto redis = ParseStoreLocation("redis://h?prefix={b}");
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(redis->port, 6379);
  EXPECT_EQ(redis->redis_prefix, "{b}");
}

TEST(StoreLocation, TakesFoldersAndConfFiles) {
  const auto folder = std::filesystem::temp_directory_path() / "troth-store-location-test";
  std::filesystem::create_directories(folder);
  const std::string conf = folder / "conf.yml";
  std::ofstream(conf) << "Store:\n  Path: /data/troth\n";
  EXPECT_EQ(ParseStoreLocation(folder)->path, folder);
  EXPECT_EQ(ParseStoreLocation("embedded:elsewhere")->path, "elsewhere");
  EXPECT_EQ(ParseStoreLocation(conf)->path, "/data/troth");
  std::filesystem::remove_all(folder);
}

TEST(StoreLocation, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("nowhere.yml"), HasSubstr("there is no such file"));
  EXPECT_THAT(ErrorOf("postgres://db:99999/x"), HasSubstr("the port"));
  EXPECT_THAT(ErrorOf("postgres://"), HasSubstr("no host"));
  EXPECT_THAT(ErrorOf("mysql://h/db?schema=x"), HasSubstr("unknown option"));
  EXPECT_THAT(ErrorOf("postgres://u:secret@h:0/x"), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace troth
