// GrpcCaller against a real server in this process: what arrives there, and what each answer
// becomes.

#include "caller/grpc_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/text.h"
#include "net/grpc_server.h"

namespace troth {
namespace {

using ::testing::HasSubstr;

class OneResult final : public CallSink {
 public:
  explicit OneResult(net::Loop& loop) : loop_(loop) {}
  void OnCallDone(TxnId, uint32_t, CallResult got) override {
    result = std::move(got);
    loop_.Stop();
  }
  std::optional<CallResult> result;

 private:
  net::Loop& loop_;
};

class GrpcCallerTest : public ::testing::Test {
 protected:
  GrpcCallerTest()
      : directory_(loop_, RegistryTarget{}),
        targets_(loop_, directory_, GrpcTargetsOptions{}),
        caller_(loop_, targets_),
        server_({&loop_}, net::GrpcServerOptions{}) {
    server_.AddUnary("/busi.Busi/Ok",
                     [this](std::shared_ptr<net::ServerCall> call, std::string got) {
                       metadata_ = call->metadata();
                       message_ = std::move(got);
                       call->FinishOk("ignored");
                     });
    server_.AddUnary("/busi.Busi/Refuse", [](std::shared_ptr<net::ServerCall> call, std::string) {
      call->Finish({net::GrpcCode::kAborted, "no money"});
    });
    EXPECT_TRUE(server_.Listen("127.0.0.1:0").ok());
    txn_.type = TransType::kSaga;
  }

  CallResult CallUrl(std::string url, BranchOp op = BranchOp::kAction) {
    txn_.gid = "g1";
    txn_.options.branch_headers = {{"X-Tenant", "7"}};
    OneResult sink(loop_);
    net::Timer deadline(loop_, [this] { loop_.Stop(); });
    loop_.Post([&] {
      deadline.ArmAfter(Seconds(10));
      caller_.Start({.id = 1,
                     .call = 1,
                     .txn = &txn_,
                     .branch_id = "01",
                     .op = op,
                     .url = url,
                     .payload = "bytes",
                     .timeout = Seconds(2)},
                    sink);
      EXPECT_FALSE(sink.result.has_value());
    });
    loop_.Run();
    EXPECT_TRUE(sink.result.has_value());
    return sink.result.value_or(CallResult{});
  }

  std::string Url(std::string_view method) {
    return Cat("127.0.0.1:", server_.port(), "/busi.Busi/", method);
  }

  net::Loop loop_;
  Directory directory_;
  GrpcTargets targets_;
  GrpcCaller caller_;
  net::GrpcServer server_;
  net::Metadata metadata_;
  std::string message_;
  Transaction txn_;
};

TEST_F(GrpcCallerTest, SendsThePayloadAndTheKeysBarriersRead) {
  EXPECT_EQ(CallUrl(Url("Ok")).outcome, BranchOutcome::kSucceeded);
  EXPECT_EQ(message_, "bytes");
  EXPECT_EQ(net::Find(metadata_, "dtm-gid"), "g1");
  EXPECT_EQ(net::Find(metadata_, "dtm-trans_type"), "saga");
  EXPECT_EQ(net::Find(metadata_, "dtm-branch_id"), "01");
  EXPECT_EQ(net::Find(metadata_, "dtm-op"), "action");
  EXPECT_EQ(net::Find(metadata_, "dtm-dtm"), "");
  EXPECT_EQ(net::Find(metadata_, "x-tenant"), "7");
}

TEST_F(GrpcCallerTest, WrapsTheInputOfAWorkflow) {
  txn_.type = TransType::kWorkflow;
  txn_.workflow_name = "transfer";
  EXPECT_EQ(CallUrl(Url("Ok"), BranchOp::kWorkflow).outcome, BranchOutcome::kSucceeded);
  EXPECT_EQ(message_,
            "\x0a\x05"
            "bytes");
  EXPECT_EQ(net::Find(metadata_, "dtm-op"), "transfer");
}

TEST_F(GrpcCallerTest, TakesARefusalAsFailed) {
  const CallResult result = CallUrl(Url("Refuse"));
  EXPECT_EQ(result.outcome, BranchOutcome::kFailed);
  EXPECT_EQ(result.text, "no money FAILURE");
}

TEST_F(GrpcCallerTest, TakesAnUnknownMethodAndABadUrlAsUnknown) {
  EXPECT_EQ(CallUrl(Url("Nothing")).outcome, BranchOutcome::kUnknown);
  const CallResult bad = CallUrl("no-slash");
  EXPECT_EQ(bad.outcome, BranchOutcome::kUnknown);
  EXPECT_THAT(bad.text, HasSubstr("bad url"));
}

}  // namespace
}  // namespace troth
