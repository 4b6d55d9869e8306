#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "base/text.h"
#include "net/tcp_connector_internal.h"

namespace troth::net {

namespace {

using boost::asio::ip::tcp;

constexpr Duration kAttemptMin = std::chrono::milliseconds(250);

}  // namespace

std::shared_ptr<TcpConnector> TcpConnector::Start(Loop& loop,
                                                  HostPort target,
                                                  Duration timeout,
                                                  Done done) {
  auto connector =
      std::make_shared<TcpConnector>(loop, std::move(target), timeout, std::move(done));
  connector->Resolve();
  return connector;
}

TcpConnector::TcpConnector(Loop& loop, HostPort target, Duration timeout, Done done)
    : loop_(loop),
      target_(std::move(target)),
      deadline_(loop.turn_time() + timeout),
      done_(std::move(done)),
      resolver_(loop.io()),
      socket_(loop.io()),
      timer_(loop) {}

void TcpConnector::Cancel() {
  done_ = nullptr;
  timer_.Cancel();
  resolver_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Duration TcpConnector::Remaining() const {
  return std::chrono::duration_cast<Duration>(deadline_ - loop_.turn_time());
}

void TcpConnector::Resolve() {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(target_.host, error);
  if (!error) {
    endpoints_.emplace_back(address, target_.port);
    loop_.Post([self = shared_from_this()] { self->TryNext(); });
    return;
  }
  timer_.set_callback(
      [this] { Finish(Unavailable(Cat("looking up ", target_.host, " took too long"))); });
  timer_.ArmAfter(Remaining());
  resolver_.async_resolve(target_.host,
                          std::to_string(target_.port),
                          [self = shared_from_this()](const boost::system::error_code& failed,
                                                      const tcp::resolver::results_type& results) {
                            if (self->done_ == nullptr) return;
                            if (failed) {
                              return self->Finish(Unavailable(Cat(
                                  "cannot look up ", self->target_.host, ": ", failed.message())));
                            }
                            for (const auto& result : results)
                              self->endpoints_.push_back(result.endpoint());
                            self->TryNext();
                          });
}

void TcpConnector::TryNext() {
  if (done_ == nullptr) return;
  const Duration remaining = Remaining();
  if (next_ == endpoints_.size() || remaining <= Duration::zero()) {
    if (last_error_.empty()) last_error_ = "timed out";
    return Finish(Unavailable(
        Cat("cannot connect to ", FormatHostPort(target_.host, target_.port), ": ", last_error_)));
  }
  const auto left = static_cast<int64_t>(endpoints_.size() - next_);
  timer_.set_callback([this] {
    last_error_ = "timed out";
    boost::system::error_code ignored;
    socket_.close(ignored);  // the attempt ends with operation_aborted
  });
  timer_.ArmAfter(std::max(remaining / left, std::min(kAttemptMin, remaining)));
  socket_.async_connect(endpoints_[next_++],
                        [self = shared_from_this()](const boost::system::error_code& error) {
                          self->OnAttemptEnded(error);
                        });
}

void TcpConnector::OnAttemptEnded(const boost::system::error_code& error) {
  if (done_ == nullptr) return;
  timer_.Cancel();
  if (!error && socket_.is_open()) {
    socket_.set_option(tcp::no_delay(true));
    return Finish(std::move(socket_));
  }
  if (error && error != boost::asio::error::operation_aborted) last_error_ = error.message();
  boost::system::error_code ignored;
  socket_.close(ignored);
  TryNext();
}

void TcpConnector::Finish(StatusOr<Socket> result) {
  timer_.Cancel();
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace troth::net
