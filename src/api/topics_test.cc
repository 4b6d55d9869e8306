#include "api/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/memory_store.h"

namespace troth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TopicsTest : public ::testing::Test {
 protected:
  MemoryStore store_;
  Topics topics_;
  const TimePoint now_ = FromMicros(1795250000000000);
};

TEST_F(TopicsTest, KeepsSubscribersInOrder) {
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "http://h/1", "first", now_).ok());
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "http://h/2", "", now_).ok());
  EXPECT_THAT(topics_.Subscribers("t"), ElementsAre("http://h/1", "http://h/2"));
  const auto records = store_.FindKv(kTopicsCategory, "t");
  ASSERT_TRUE(records.ok());
  EXPECT_EQ(records->front().value,
            R"([{"url":"http://h/1","remark":"first"},{"url":"http://h/2","remark":""}])");
  EXPECT_EQ(records->front().version, 2u);
}

TEST_F(TopicsTest, SaysWhatIsWrongInDtmsWords) {
  EXPECT_EQ(Message(topics_.Subscribe(store_, "", "u", "", now_)), "empty topic");
  EXPECT_EQ(Message(topics_.Subscribe(store_, "t", "", "", now_)), "empty url");
  EXPECT_EQ(Message(topics_.Unsubscribe(store_, "t", "u", now_)), "no such a topic");
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "u", "", now_).ok());
  EXPECT_EQ(Message(topics_.Subscribe(store_, "t", "u", "", now_)), "this url exists");
  EXPECT_EQ(Message(topics_.Unsubscribe(store_, "t", "v", now_)), "no such an url ");
  ASSERT_TRUE(topics_.Unsubscribe(store_, "t", "u", now_).ok());
  EXPECT_EQ(Message(topics_.Unsubscribe(store_, "t", "u", now_)), "this topic is empty");
  EXPECT_EQ(Message(topics_.Delete(store_, "unknown")), "storage: NotFound");
}

TEST_F(TopicsTest, ForgetsADeletedTopicAndLearnsItsSuccessor) {
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "old", "", now_).ok());
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "old2", "", now_).ok());
  ASSERT_TRUE(topics_.Delete(store_, "t").ok());
  EXPECT_THAT(topics_.Subscribers("t"), IsEmpty());
  ASSERT_TRUE(topics_.Subscribe(store_, "t", "new", "", now_).ok());
  EXPECT_THAT(topics_.Subscribers("t"), ElementsAre("new"));
}

TEST_F(TopicsTest, SeesWhatAnotherServerChangedAfterARefresh) {
  Topics other;
  ASSERT_TRUE(other.Subscribe(store_, "t", "u", "", now_).ok());
  EXPECT_THAT(topics_.Subscribers("t"), IsEmpty());
  ASSERT_TRUE(topics_.Refresh(store_).ok());
  EXPECT_THAT(topics_.Subscribers("t"), ElementsAre("u"));
}

}  // namespace
}  // namespace troth
