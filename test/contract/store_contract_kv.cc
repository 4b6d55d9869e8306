// Small named values: topics.

#include <set>

#include "base/text.h"
#include "contract/store_contract_suite.h"

namespace troth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

KvRecord Topic(std::string_view name, std::string_view value = "[]", uint64_t version = 1) {
  return {.category = "topics",
          .key = std::string(name),
          .value = std::string(value),
          .version = version,
          .create_time = At(1),
          .update_time = At(2)};
}

// Without the row number that a SQL store gives.
std::vector<KvRecord> WithoutIds(StatusOr<std::vector<KvRecord>> found) {
  EXPECT_TRUE(found.ok()) << found.status();
  if (!found.ok()) return {};
  for (KvRecord& record : *found) record.id = 0;
  return *std::move(found);
}

TEST_P(StoreContract, KeepsNamedValues) {
  ASSERT_TRUE(store().CreateKv(Topic("a", "one")).ok());
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "a")), ElementsAre(Topic("a", "one")));
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "b")), IsEmpty());
  EXPECT_THAT(WithoutIds(store().FindKv("others", "a")), IsEmpty());
}

TEST_P(StoreContract, RefusesASecondValueOfOneName) {
  ASSERT_TRUE(store().CreateKv(Topic("a", "one")).ok());
  EXPECT_EQ(store().CreateKv(Topic("a", "two")).code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "a")), ElementsAre(Topic("a", "one")));
}

TEST_P(StoreContract, UpdatesAValueOnlyFromTheVersionBefore) {
  ASSERT_TRUE(store().CreateKv(Topic("a", "one")).ok());
  EXPECT_EQ(store().UpdateKv(Topic("b", "x", 2)).code(), StatusCode::kNotFound);
  ASSERT_TRUE(store().UpdateKv(Topic("a", "two", 2)).ok());
  EXPECT_EQ(store().UpdateKv(Topic("a", "late", 2)).code(), StatusCode::kNotFound);
  EXPECT_EQ(store().UpdateKv(Topic("a", "early", 4)).code(), StatusCode::kNotFound);
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "a")), ElementsAre(Topic("a", "two", 2)));
}

TEST_P(StoreContract, DeletesAValueOnce) {
  ASSERT_TRUE(store().CreateKv(Topic("a")).ok());
  ASSERT_TRUE(store().DeleteKv("topics", "a").ok());
  EXPECT_EQ(store().DeleteKv("topics", "a").code(), StatusCode::kNotFound);
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "a")), IsEmpty());
  EXPECT_TRUE(store().CreateKv(Topic("a")).ok());
}

TEST_P(StoreContract, FindsAllValuesOfACategory) {
  KvRecord other = Topic("a");
  other.category = "topic";  // begins like the other
  ASSERT_TRUE(store().CreateKv(other).ok());
  ASSERT_TRUE(store().CreateKv(Topic("a")).ok());
  ASSERT_TRUE(store().CreateKv(Topic("b")).ok());
  EXPECT_THAT(WithoutIds(store().FindKv("topics", "")),
              UnorderedElementsAre(Topic("a"), Topic("b")));
  EXPECT_THAT(WithoutIds(store().FindKv("topic", "")), ElementsAre(other));
  EXPECT_THAT(WithoutIds(store().FindKv("", "")), testing::SizeIs(3));
  EXPECT_THAT(WithoutIds(store().FindKv("", "b")), ElementsAre(Topic("b")));
}

TEST_P(StoreContract, ScansAThousandTopics) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.insert(Cat("topic", i));
    ASSERT_TRUE(store().CreateKv(Topic(Cat("topic", i))).ok());
  }
  EXPECT_EQ(WithoutIds(store().FindKv("topics", "")).size(), 1000U);
  std::set<std::string> scanned;
  std::string position;
  size_t total = 0;
  do {
    const auto page = store().ScanKv("topics", position, 64, &position);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->size(), 64U);
    for (const KvRecord& record : *page) scanned.insert(record.key);
    total += page->size();
  } while (!position.empty());
  EXPECT_EQ(total, 1000U);
  EXPECT_EQ(scanned, names);
}

TEST_P(ExclusiveStoreContract, KeepsValuesOfAnyBytes) {
  const KvRecord odd = Topic(std::string("a\0\xff", 3), std::string("\0\n\xff", 3));
  ASSERT_TRUE(store().CreateKv(odd).ok());
  EXPECT_THAT(WithoutIds(store().FindKv("topics", odd.key)), ElementsAre(odd));
}

}  // namespace
}  // namespace troth
