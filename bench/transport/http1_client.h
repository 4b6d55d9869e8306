#pragma once
// JSON requests over one kept connection of HTTP/1.1, one at a time.

#include <string>
#include <vector>

#include "bench/transport/client.h"
#include "bench/transport/http1_message.h"

namespace troth::bench {

class Http1Client final : public Protocol, public Client {
 public:
  // `requests` and the listener outlive it. `authority` is host:port.
  Http1Client(const std::vector<Request>& requests,
              const std::string& authority,
              ClientListener& listener);

  Status Feed(std::string_view bytes) override;
  void OnLost(const Status& why) override { listener_.OnClientLost(why); }
  bool Ready(size_t request) const override;
  void Send(size_t request, std::string_view gid, uint32_t tag) override;
  Protocol& protocol() override { return *this; }

 private:
  const std::vector<Request>& requests_;
  std::vector<std::string> heads_;  // of each request
  ClientListener& listener_;
  Http1Reader reader_;
  uint32_t tag_ = 0;
  bool busy_ = false;
};

}  // namespace troth::bench
