// The manager with real shards, threads and a memory store; only the branch services are played by
// the test.

#include "runtime/transaction_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "store/memory_store.h"

namespace troth {
namespace {

using ::testing::ElementsAre;

constexpr auto kDeadline = std::chrono::seconds(30);

// Of a drain. Its last tenth must do for a busy machine to hand everything back.
constexpr Duration kGrace = Seconds(3);

constexpr std::string_view kSilent = "silent";  // a service that never answers

// Plays every branch service: answers as told, later in the same loop. Counts calls.
class PlayedServices {
 public:
  void Answer(std::string url, CallResult result) {
    absl::MutexLock lock(&mutex_);
    answers_[std::move(url)] = std::move(result);
  }
  // Nothing: it never answers.
  std::optional<CallResult> Take(std::string_view gid, std::string_view url) {
    absl::MutexLock lock(&mutex_);
    calls_.push_back(std::string(gid) + " " + std::string(url));
    if (url == kSilent) return std::nullopt;
    const auto found = answers_.find(std::string(url));
    return found != answers_.end() ? found->second
                                   : CallResult{.outcome = BranchOutcome::kSucceeded};
  }
  bool WasCalled(std::string_view gid, std::string_view url) {
    const std::string call = std::string(gid) + " " + std::string(url);
    return std::ranges::count(calls(), call) > 0;
  }
  std::vector<std::string> calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, CallResult> answers_;
  std::vector<std::string> calls_;
};

class PlayedCaller final : public BranchCaller {
 public:
  PlayedCaller(net::Loop& loop, PlayedServices& services) : loop_(loop), services_(services) {}
  void Start(const Call& call, CallSink& sink) override {
    const std::optional<CallResult> result = services_.Take(call.txn->gid, call.url);
    if (!result) return;
    loop_.Post([&sink, id = call.id, number = call.call, result = *result] {
      sink.OnCallDone(id, number, result);
    });
  }

 private:
  net::Loop& loop_;
  PlayedServices& services_;
};

class TransactionManagerTest : public ::testing::Test {
 protected:
  void Start(size_t shards = 2) {
    std::vector<ShardPlace> places;
    for (size_t i = 0; i < shards; ++i) {
      loops_.push_back(std::make_unique<net::Loop>());
      callers_.push_back(std::make_unique<PlayedCaller>(*loops_.back(), services_));
      places.push_back({loops_.back().get(), callers_.back().get()});
    }
    TransactionManagerOptions options;
    options.engine.retry_interval = Seconds(1);
    manager_ = std::make_unique<TransactionManager>(
        options,
        places,
        store_,
        clock_,
        ShardThread::Observers{.alert = [](const Alert&) {},
                               .ended = [this](const Transaction&) { ++ended_; }});
    manager_->Start();
    for (const auto& loop : loops_) threads_.emplace_back([&loop] { loop->Run(); });
  }

  void TearDown() override {
    for (const auto& loop : loops_) loop->Stop();
    for (std::thread& thread : threads_) thread.join();
    manager_.reset();
  }

  static Request Msg(std::string gid, std::vector<std::string> urls, bool wait_result = true) {
    Request request;
    request.kind = RequestKind::kSubmit;
    request.draft.gid = std::move(gid);
    request.draft.options.wait_result = wait_result;
    for (size_t i = 0; i < urls.size(); ++i) {
      Branch branch;
      branch.branch_id = "0" + std::to_string(i + 1);
      branch.url = urls[i];
      request.draft.branches.push_back(branch);
    }
    return request;
  }

  ClientAnswer Ask(Request request) {
    auto promise = std::make_shared<std::promise<ClientAnswer>>();
    std::future<ClientAnswer> answer = promise->get_future();
    manager_->Request(std::move(request), *loops_.back(), [promise](ClientAnswer got) {
      promise->set_value(std::move(got));
    });
    EXPECT_EQ(answer.wait_for(kDeadline), std::future_status::ready);
    return answer.get();
  }

  std::shared_ptr<const Transaction> Stored(std::string gid) {
    auto promise = std::make_shared<std::promise<std::shared_ptr<const Transaction>>>();
    auto found = promise->get_future();
    manager_->Query(std::move(gid), *loops_[0], [promise](auto txn) {
      promise->set_value(txn.ok() ? *txn : nullptr);
    });
    EXPECT_EQ(found.wait_for(kDeadline), std::future_status::ready);
    return found.get();
  }

  // Whoever asks the store next goes on with it.
  void ExpectHandedBack(std::string_view gid) {
    const auto record = store_.Load(gid);
    ASSERT_TRUE(record.ok() && record->has_value());
    const auto txn = store_.Decode(**record);
    ASSERT_TRUE(txn.ok());
    EXPECT_FALSE((*txn)->leased);
    EXPECT_LE((*txn)->next_cron_time, clock_.Now());
    EXPECT_EQ((*txn)->branches[0].status, BranchStatus::kSucceeded);
  }

  // Polls what is stored until it has the status.
  bool Reaches(const std::string& gid, TransStatus status) {
    return Eventually([&] {
      const auto txn = Stored(gid);
      return txn != nullptr && txn->status == status;
    });
  }

  static bool Eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  SystemClock clock_;
  MemoryStore store_;
  PlayedServices services_;
  std::atomic<int> ended_{0};
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::vector<std::unique_ptr<PlayedCaller>> callers_;
  std::unique_ptr<TransactionManager> manager_;
  std::vector<std::thread> threads_;
};

TEST_F(TransactionManagerTest, RunsAMessageToItsEndBeforeItAnswersAWaitingClient) {
  Start();
  EXPECT_EQ(Ask(Msg("g1", {"a", "b"})).code, ReplyCode::kOk);
  EXPECT_THAT(services_.calls(), ElementsAre("g1 a", "g1 b"));
  const auto txn = Stored("g1");
  ASSERT_NE(txn, nullptr);
  EXPECT_EQ(txn->status, TransStatus::kSucceeded);
  EXPECT_EQ(txn->branches[1].status, BranchStatus::kSucceeded);
  EXPECT_EQ(ended_, 1);
}

TEST_F(TransactionManagerTest, AnswersAtOnceAndGoesOnWithoutWaitResult) {
  Start();
  EXPECT_EQ(Ask(Msg("g1", {"a"}, /*wait_result=*/false)).code, ReplyCode::kOk);
  EXPECT_TRUE(Reaches("g1", TransStatus::kSucceeded));
}

TEST_F(TransactionManagerTest, RetriesABranchWhenItIsDue) {
  services_.Answer("a", {.outcome = BranchOutcome::kOngoing});
  Start();
  EXPECT_EQ(Ask(Msg("g1", {"a"})).code, ReplyCode::kFailure);
  services_.Answer("a", {.outcome = BranchOutcome::kSucceeded});
  EXPECT_TRUE(Reaches("g1", TransStatus::kSucceeded));
}

TEST_F(TransactionManagerTest, RefusesASecondSubmitOfAFinishedTransaction) {
  Start();
  EXPECT_EQ(Ask(Msg("g1", {"a"})).code, ReplyCode::kOk);
  const ClientAnswer again = Ask(Msg("g1", {"a"}));
  EXPECT_EQ(again.code, ReplyCode::kFailure);
  EXPECT_EQ(again.message, "current status 'succeed', cannot sumbmit. FAILURE");
}

TEST_F(TransactionManagerTest, KeepsThousandsOfTransactionsApart) {
  Start();
  std::atomic<int> ok{0};
  std::promise<void> all;
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) {
    manager_->Request(
        Msg("g" + std::to_string(i), {"a", "b"}), *loops_[0], [&](ClientAnswer answer) {
          if (answer.code == ReplyCode::kOk && ++ok == kCount) all.set_value();
        });
  }
  EXPECT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_TRUE(Eventually([&] { return ended_ == kCount; }));  // told after the clients
}

TEST_F(TransactionManagerTest, ResumesWhatAnEarlierProcessLeft) {
  services_.Answer("a", {.outcome = BranchOutcome::kOngoing});
  Start();
  ASSERT_EQ(Ask(Msg("g1", {"a"}, /*wait_result=*/false)).code, ReplyCode::kOk);
  TearDown();
  loops_.clear();
  callers_.clear();
  threads_.clear();
  services_.Answer("a", {.outcome = BranchOutcome::kSucceeded});
  Start();
  EXPECT_TRUE(Reaches("g1", TransStatus::kSucceeded));
}

TEST_F(TransactionManagerTest, ShowsAndWorksOnWhatIsNotDamaged) {
  for (const std::string_view gid : {"g1", "damaged", "g2"}) {
    Transaction txn{.gid = std::string(gid)};
    txn.status = TransStatus::kSubmitted;
    txn.version = 1;
    SaveRecord save = store_.Encode({.txn = &txn, .fixed_part_changed = true});
    if (gid == "damaged") save.state = "neither this nor that";
    ASSERT_EQ(store_.Commit(std::vector{save})[0].result, SaveResult::kStored);
  }
  Start();
  EXPECT_TRUE(Reaches("g1", TransStatus::kSucceeded));
  EXPECT_TRUE(Reaches("g2", TransStatus::kSucceeded));
  std::promise<StatusOr<TransactionPage>> listed;
  manager_->List(
      {}, *loops_[0], [&](StatusOr<TransactionPage> page) { listed.set_value(std::move(page)); });
  const StatusOr<TransactionPage> page = listed.get_future().get();
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->transactions.size(), 2U);
  ASSERT_EQ(page->damaged.size(), 1U);
  EXPECT_EQ(page->damaged[0].gid, "damaged");
  EXPECT_FALSE(page->damaged[0].error.empty());
}

TEST_F(TransactionManagerTest, DrainsWhenNothingRuns) {
  Start();
  EXPECT_EQ(Ask(Msg("g1", {"a"})).code, ReplyCode::kOk);
  std::promise<void> drained;
  manager_->Drain(Seconds(5), *loops_[0], [&] { drained.set_value(); });
  EXPECT_EQ(drained.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST_F(TransactionManagerTest, HandsBackWhatDoesNotEndInTime) {
  Start();
  ASSERT_EQ(Ask(Msg("g1", {"a", std::string(kSilent)}, /*wait_result=*/false)).code,
            ReplyCode::kOk);
  ASSERT_TRUE(Eventually([&] { return services_.WasCalled("g1", kSilent); }));
  std::promise<void> drained;
  manager_->Drain(kGrace, *loops_[0], [&] { drained.set_value(); });
  ASSERT_EQ(drained.get_future().wait_for(kDeadline), std::future_status::ready);
  ExpectHandedBack("g1");
}

TEST_F(TransactionManagerTest, HandsBackAfterStandingStillUntilItsTimeWasUp) {
  Start(/*shards=*/1);
  ASSERT_EQ(Ask(Msg("g1", {"a", std::string(kSilent)}, /*wait_result=*/false)).code,
            ReplyCode::kOk);
  std::promise<void> drained;
  manager_->Drain(kGrace, *loops_[0], [&] { drained.set_value(); });
  loops_[0]->Post([until = std::chrono::steady_clock::now() + 2 * kGrace] {
    std::this_thread::sleep_until(until);  // as all threads do when the machine stands still
  });
  ASSERT_EQ(drained.get_future().wait_for(kDeadline), std::future_status::ready);
  ExpectHandedBack("g1");
}

}  // namespace
}  // namespace troth
