#include "caller/dispatch_caller.h"

#include <gtest/gtest.h>

#include <string>

namespace troth {
namespace {

class Noted final : public BranchCaller {
 public:
  Noted(std::string name, std::string& last) : name_(std::move(name)), last_(last) {}
  void Start(const Call&, CallSink&) override { last_ = name_; }

 private:
  const std::string name_;
  std::string& last_;
};

class NoSink final : public CallSink {
 public:
  void OnCallDone(TxnId, uint32_t, CallResult) override {}
};

TEST(DispatchCaller, ChoosesByProtocolAndUrl) {
  std::string last;
  Noted http("http", last);
  Noted grpc("grpc", last);
  DispatchCaller dispatch(http, grpc);
  NoSink sink;
  const auto chosen = [&](Protocol protocol, std::string_view url) {
    Transaction txn;
    txn.protocol = protocol;
    Call call;
    call.txn = &txn;
    call.url = url;
    dispatch.Start(call, sink);
    return last;
  };
  EXPECT_EQ(chosen(Protocol::kHttp, "http://h/a"), "http");
  EXPECT_EQ(chosen(Protocol::kHttp, "h:9000/svc/M"), "http");
  EXPECT_EQ(chosen(Protocol::kGrpc, "h:9000/svc/M"), "grpc");
  EXPECT_EQ(chosen(Protocol::kGrpc, "https://h/a"), "http");
  EXPECT_EQ(chosen(Protocol::kJsonRpc, "h:9000/svc/M"), "grpc");
  EXPECT_EQ(chosen(Protocol::kJsonRpc, "http://h/rpc?method=m"), "http");
}

}  // namespace
}  // namespace troth
