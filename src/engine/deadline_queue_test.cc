#include "engine/deadline_queue.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace troth {
namespace {

TimePoint At(int64_t micros) { return FromMicros(micros); }

TEST(DeadlineQueue, GivesTheEarliestFirstAndEqualOnesByKey) {
  DeadlineQueue queue;
  queue.Set(5, At(20));
  queue.Set(9, At(10));
  queue.Set(2, At(20));
  EXPECT_EQ(queue.top_key(), 9u);
  queue.Remove(9);
  EXPECT_EQ(queue.top_key(), 2u);
  queue.Remove(2);
  EXPECT_EQ(queue.top_key(), 5u);
  queue.Remove(5);
  EXPECT_TRUE(queue.empty());
}

TEST(DeadlineQueue, MovesAKeyThatIsSetAgain) {
  DeadlineQueue queue;
  queue.Set(1, At(10));
  queue.Set(2, At(20));
  queue.Set(1, At(30));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.top_key(), 2u);
  queue.Set(1, At(5));
  EXPECT_EQ(queue.top_key(), 1u);
  EXPECT_EQ(queue.top_time(), At(5));
}

TEST(DeadlineQueue, RemovingAnUnknownKeyDoesNothing) {
  DeadlineQueue queue;
  queue.Remove(7);
  queue.Set(1, At(1));
  queue.Remove(7);
  EXPECT_EQ(queue.size(), 1u);
}

TEST(DeadlineQueue, AgreesWithAnOrderedMap) {
  Random random(1);
  DeadlineQueue queue;
  std::map<uint32_t, TimePoint> model;
  for (int i = 0; i < 20000; ++i) {
    const auto key = static_cast<uint32_t>(random.Below(50));
    if (random.OneIn(3)) {
      queue.Remove(key);
      model.erase(key);
    } else {
      const TimePoint at = At(static_cast<int64_t>(random.Below(30)));
      queue.Set(key, at);
      model[key] = at;
    }
    ASSERT_EQ(queue.size(), model.size());
    ASSERT_EQ(queue.contains(key), model.contains(key));
    if (model.empty()) continue;
    std::pair<TimePoint, uint32_t> first{TimePoint::max(), 0};
    for (const auto& [model_key, at] : model) first = std::min(first, {at, model_key});
    ASSERT_EQ(queue.top_time(), first.first);
    ASSERT_EQ(queue.top_key(), first.second);
  }
}

}  // namespace
}  // namespace troth
