#include "caller/dispatch_caller.h"

namespace troth {

void DispatchCaller::Start(const Call& call, CallSink& sink) {
  const bool http = call.txn->protocol == Protocol::kHttp || call.url.starts_with("http://") ||
                    call.url.starts_with("https://");
  (http ? http_ : grpc_).Start(call, sink);
}

}  // namespace troth
