#include "discovery/etcd_registration.h"

#include <utility>

#include "base/log.h"
#include "discovery/instance_json.h"

namespace troth {
namespace {

constexpr int kKeepAlivesPerTtl = 3;
// A key that somebody deleted is noticed by looking at it with every third keep-alive.
constexpr uint64_t kKeepAlivesPerCheck = 3;

}  // namespace

EtcdRegistration::EtcdRegistration(net::Loop& loop,
                                   EtcdClient& client,
                                   const EtcdTimes& times,
                                   const ServiceInstance& instance)
    : loop_(loop),
      client_(client),
      times_(times),
      key_(InstanceKey(instance)),
      value_(EncodeInstance(instance)),
      backoff_(times.backoff_min, times.backoff_max),
      retry_timer_(loop, [this] { Begin(); }),
      keepalive_timer_(loop, [this] { KeepAlive(); }),
      remove_timer_(loop, [this] { FinishRemoval(); }) {
  Begin();
}

void EtcdRegistration::OnConnected() {
  if (retry_timer_.armed()) Begin();
}

void EtcdRegistration::Begin() {
  retry_timer_.Cancel();
  attempt_.Cut();
  client_.GrantLease(times_.lease_ttl, attempt_.Guard([this](StatusOr<int64_t> lease) {
    OnGranted(std::move(lease));
  }));
}

void EtcdRegistration::OnGranted(StatusOr<int64_t> lease) {
  if (!lease.ok()) return Lost(lease.status());
  lease_ = *lease;
  client_.Put(
      key_, value_, lease_, attempt_.Guard([this](const Status& status) { OnPut(status); }));
}

void EtcdRegistration::OnPut(const Status& status) {
  if (!status.ok()) return Lost(status);
  LogInfo("registered", {{"registry", client_.Describe()}, {"key", key_}, {"lease", lease_}});
  registered_ = true;
  backoff_.Reset();
  answer_due_ = false;
  keepalives_ = 0;
  stream_ = client_.KeepAlive(lease_,
                              attempt_.Guard([this](Duration ttl) { OnTtl(ttl); }),
                              attempt_.Guard([this](const Status& end) { Lost(end); }));
  keepalive_timer_.ArmAfter(times_.lease_ttl / kKeepAlivesPerTtl);
}

void EtcdRegistration::KeepAlive() {
  if (answer_due_) return Lost(DeadlineExceeded("etcd does not answer keep-alives"));
  answer_due_ = true;
  stream_->Send();
  if (++keepalives_ % kKeepAlivesPerCheck == 0) CheckKey();
  keepalive_timer_.ArmAfter(times_.lease_ttl / kKeepAlivesPerTtl);
}

void EtcdRegistration::OnTtl(Duration ttl) {
  answer_due_ = false;
  if (ttl <= Duration::zero()) Lost(NotFound("the lease expired or was revoked"));
}

void EtcdRegistration::CheckKey() {
  client_.Range(key_, /*prefix=*/false, attempt_.Guard([this](const StatusOr<EtcdRange>& range) {
    OnKey(range);
  }));
}

void EtcdRegistration::OnKey(const StatusOr<EtcdRange>& range) {
  if (!range.ok()) return;  // the keep-alive tells whether etcd is there
  if (range->entries.empty()) return Lost(NotFound("somebody deleted the key"));
  const EtcdEntry& entry = range->entries.front();
  if (entry.value != value_ || entry.lease != lease_) {
    Lost(Aborted("somebody wrote another value to the key"));
  }
}

void EtcdRegistration::Lost(const Status& why) {
  registered_ = false;
  lease_ = 0;
  stream_.reset();
  keepalive_timer_.Cancel();
  attempt_.Cut();
  const Duration delay = backoff_.Next(random_);
  LogWarn("not registered; trying again",
          {{"key", key_},
           {"error", why},
           {"retry_ms", std::chrono::duration_cast<std::chrono::milliseconds>(delay).count()}});
  retry_timer_.ArmAfter(delay);
}

void EtcdRegistration::Remove(Duration timeout, std::function<void()> done) {
  registered_ = false;
  removed_ = std::move(done);
  stream_.reset();
  retry_timer_.Cancel();
  keepalive_timer_.Cancel();
  attempt_.Cut();
  remove_timer_.ArmAfter(timeout);
  client_.Delete(key_, attempt_.Guard([this](const Status& status) { OnDeleted(status); }));
}

void EtcdRegistration::OnDeleted(const Status& status) {
  if (!status.ok()) {
    LogWarn("could not de-register; the entry goes with its lease",
            {{"key", key_}, {"error", status}});
  }
  if (lease_ == 0) return FinishRemoval();
  // Last, so that a put still under way has no lease to live on.
  client_.RevokeLease(lease_, attempt_.Guard([this](const Status&) { FinishRemoval(); }));
}

void EtcdRegistration::FinishRemoval() {
  attempt_.Cut();
  remove_timer_.Cancel();
  LogInfo("de-registered", {{"key", key_}});
  if (removed_) loop_.Post(std::exchange(removed_, nullptr));
}

}  // namespace troth
