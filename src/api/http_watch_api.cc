#include "api/http_watch_api.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/http_v1_common.h"
#include "base/text.h"
#include "wire/json_writer.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;
using TransactionPtr = std::shared_ptr<const Transaction>;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int64_t kWaitSecondsDefault = 30;
constexpr int64_t kWaitSecondsMax = 60;
// This server tells of its own changes. For those that another one makes on a shared store.
constexpr Duration kLookAgain = Seconds(5);
// A stream without events says something this often, so that nothing between takes it for dead.
constexpr Duration kSignOfLife = Seconds(15);

std::string StatusJson(const Transaction& txn) {
  JsonWriter json;
  json.BeginObject().Field("gid", txn.gid).Field("status", WireName(txn.status));
  json.Key("final").Bool(IsFinal(txn.status)).Field("error", txn.rollback_reason);
  return json.Field("result", txn.result).EndObject().Take();
}

struct Surroundings {
  ApiContext& context;
  Watchers& watchers;
  const std::atomic<bool>& draining;
};

// One client that watches a transaction. Held by Watchers from Begin to Leave.
class Watching : public Watcher, public std::enable_shared_from_this<Watching> {
 public:
  Watching(const Surroundings& around, CallPtr call, std::string gid)
      : call_(std::move(call)),
        around_(around),
        gid_(std::move(gid)),
        timer_(call_->loop(), [this] { Look(); }) {}

  void Begin() {
    if (!around_.watchers.Add(gid_, shared_from_this())) {
      return call_->Respond(HttpError(ResourceExhausted("too many clients wait; try again")));
    }
    call_->OnGone([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Leave();
    });
    Look();
  }

  void Look() override {
    // What a query under way reads may be older than what this is about.
    if (std::exchange(looking_, true)) return void(look_again_ = true);
    around_.context.manager.Query(
        gid_, call_->loop(), [weak = weak_from_this()](StatusOr<TransactionPtr> txn) {
          if (const auto self = weak.lock()) self->OnRead(txn);
        });
  }
  net::Loop& loop() override { return call_->loop(); }

 protected:
  // Tells the client; true when that was the last of it.
  virtual bool Show(const Transaction& txn) = 0;
  // Instead of an answer, or of what was still to come.
  virtual void Refuse(net::HttpResponse response) { call_->Respond(std::move(response)); }
  virtual Duration UntilNextLook() const { return kLookAgain; }

  bool draining() const { return around_.draining.load(); }
  SteadyTime now() const { return call_->loop().turn_time(); }

  const CallPtr call_;

 private:
  void OnRead(const StatusOr<TransactionPtr>& txn) {
    looking_ = false;
    if (left_) return;
    if (!txn.ok() || *txn == nullptr) {
      Refuse(txn.ok() ? NoTransaction(gid_) : HttpError(txn.status()));
      return Leave();
    }
    if (Show(**txn)) return Leave();
    if (std::exchange(look_again_, false)) return Look();
    timer_.ArmAfter(UntilNextLook());
  }

  // Whoever calls holds this a little longer.
  void Leave() {
    left_ = true;
    timer_.Cancel();
    around_.watchers.Remove(gid_, *this);
  }

  const Surroundings around_;
  const std::string gid_;
  bool looking_ = false;
  bool look_again_ = false;
  bool left_ = false;
  net::Timer timer_;
};

class WaitingForEnd final : public Watching {
 public:
  WaitingForEnd(const Surroundings& around, CallPtr call, std::string gid, Duration patience)
      : Watching(around, std::move(call), std::move(gid)), end_(now() + patience) {}

 private:
  bool Show(const Transaction& txn) override {
    const bool final = IsFinal(txn.status);
    if (!final && !draining() && now() < end_) return false;
    RespondJson(*call_, final ? 200 : 202, StatusJson(txn));
    return true;
  }

  Duration UntilNextLook() const override {
    return std::min(kLookAgain, std::chrono::duration_cast<Duration>(end_ - now()));
  }

  const SteadyTime end_;
};

class EventStream final : public Watching {
 public:
  using Watching::Watching;

 private:
  bool Show(const Transaction& txn) override {
    if (!shown_) StartStream();
    if (shown_ != txn.status) {
      shown_ = txn.status;
      Write(Cat("event: status\ndata: ", StatusJson(txn), "\n\n"));
    } else if (now() >= last_write_ + kSignOfLife) {
      Write(":\n\n");
    }
    if (!IsFinal(txn.status) && !draining()) return false;
    call_->EndStream();
    return true;
  }

  void Refuse(net::HttpResponse response) override {
    if (!shown_) return call_->Respond(std::move(response));
    call_->EndStream();  // the client connects again and sees why
  }

  void StartStream() {
    net::HttpResponse head;
    head.content_type = "text/event-stream";
    head.headers.emplace_back("Cache-Control", "no-cache");
    call_->StartStream(std::move(head));
  }

  void Write(std::string_view text) {
    call_->WriteChunk(text);
    last_write_ = now();
  }

  std::optional<TransStatus> shown_;
  SteadyTime last_write_{};
};

void Wait(const Surroundings& around, CallPtr call, const std::string& gid) {
  const StatusOr<int64_t> seconds =
      IntParam(*call, "timeout", kWaitSecondsDefault, 0, kWaitSecondsMax);
  if (!seconds.ok()) return RespondBad(*call, seconds.status());
  std::make_shared<WaitingForEnd>(around, std::move(call), gid, Seconds(*seconds))->Begin();
}

}  // namespace

void RegisterHttpWatchApi(ApiContext& context,
                          Watchers& watchers,
                          const std::atomic<bool>& draining,
                          HttpRouter& router) {
  const Surroundings around{.context = context, .watchers = watchers, .draining = draining};
  router.Add("GET", "/api/v1/transactions/*/wait", [around](CallPtr call, const std::string& gid) {
    Wait(around, std::move(call), gid);
  });
  router.Add(
      "GET", "/api/v1/transactions/*/events", [around](CallPtr call, const std::string& gid) {
        std::make_shared<EventStream>(around, std::move(call), gid)->Begin();
      });
}

}  // namespace troth
