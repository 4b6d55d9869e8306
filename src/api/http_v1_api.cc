#include "api/http_v1_api.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/wire_json.h"
#include "base/text.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;
using TransactionPtr = std::shared_ptr<const Transaction>;

constexpr int64_t kPageDefault = 100;
constexpr int64_t kPageMax = 1000;
constexpr int64_t kWaitSecondsDefault = 30;
constexpr int64_t kWaitSecondsMax = 60;
// How often a waiting client's transaction is looked at.
constexpr Duration kWaitPoll = std::chrono::milliseconds(100);

void Respond(net::HttpCall& call, int status, std::string json) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  call.Respond(std::move(response));
}

void RespondBad(net::HttpCall& call, const Status& status) {
  Respond(call, 400, MessageJson(Message(status)));
}

// Hands the stored transaction on; 404 when there is none.
void WithTransaction(ApiContext& context,
                     CallPtr call,
                     const std::string& gid,
                     std::function<void(CallPtr, const TransactionPtr&)> use) {
  net::Loop& loop = call->loop();
  context.manager.Query(
      gid, loop, [call = std::move(call), gid, use = std::move(use)](StatusOr<TransactionPtr> txn) {
        if (!txn.ok()) return call->Respond(HttpError(txn.status()));
        if (*txn == nullptr) {
          return Respond(*call, 404, MessageJson(Cat("there is no transaction with gid ", gid)));
        }
        use(call, *txn);
      });
}

StatusOr<int64_t> IntParam(const net::HttpCall& call,
                           std::string_view name,
                           int64_t otherwise,
                           int64_t low,
                           int64_t high) {
  const std::string text = call.request().Param(name).value_or("");
  if (text.empty()) return otherwise;
  const std::optional<int64_t> value = ParseInt(text);
  if (value && *value >= low && *value <= high) return *value;
  return InvalidArgument(
      Cat(name, " is '", text, "'; it must be a number from ", low, " to ", high));
}

StatusOr<std::optional<TimePoint>> TimeParam(const net::HttpCall& call, std::string_view name) {
  const std::string text = call.request().Param(name).value_or("");
  if (text.empty()) return std::optional<TimePoint>();
  const std::optional<TimePoint> time = ParseTime(text);
  if (time) return time;
  return InvalidArgument(
      Cat(name, " is '", text, "'; it must be a time such as 2026-01-02T03:04:05Z"));
}

struct Search {
  ListFilter filter;
  std::string endpoint;  // part of a branch's URL
  std::string error;     // part of the rollback reason
};

StatusOr<Search> ReadSearch(const net::HttpCall& call) {
  const auto param = [&call](std::string_view name) {
    return call.request().Param(name).value_or("");
  };
  Search search;
  search.endpoint = param("endpoint");
  search.error = param("error");
  search.filter.position = param("cursor");
  TROTH_ASSIGN_OR_RETURN(const int64_t limit, IntParam(call, "limit", kPageDefault, 1, kPageMax));
  search.filter.limit = static_cast<size_t>(limit);
  if (const std::string status = param("status"); !status.empty()) {
    search.filter.status = ParseTransStatus(status);
    if (!search.filter.status) return InvalidArgument(Cat("unknown status '", status, "'"));
  }
  if (const std::string type = param("type"); !type.empty()) {
    search.filter.type = ParseTransType(type);
    if (!search.filter.type) return InvalidArgument(Cat("unknown type '", type, "'"));
  }
  TROTH_ASSIGN_OR_RETURN(search.filter.created_from, TimeParam(call, "created_from"));
  TROTH_ASSIGN_OR_RETURN(search.filter.created_to, TimeParam(call, "created_to"));
  return search;
}

bool Wanted(const Search& search, const Transaction& txn) {
  if (txn.rollback_reason.find(search.error) == std::string::npos) return false;
  if (search.endpoint.empty()) return true;
  return std::ranges::any_of(txn.branches, [&](const Branch& branch) {
    return branch.url.find(search.endpoint) != std::string::npos;
  });
}

void Find(ApiContext& context, CallPtr call) {
  StatusOr<Search> search = ReadSearch(*call);
  if (!search.ok()) return RespondBad(*call, search.status());
  net::Loop& loop = call->loop();
  const ListFilter filter = search->filter;
  context.manager.List(filter, loop, [&context, call, search = *search](auto page) {
    if (!page.ok()) {
      const bool bad = page.status().code() == StatusCode::kInvalidArgument;
      return bad ? RespondBad(*call, page.status()) : call->Respond(HttpError(page.status()));
    }
    JsonWriter json;
    json.BeginObject().Field("next_cursor", page->next_position).Key("transactions").BeginArray();
    for (const TransactionPtr& txn : page->transactions) {
      if (Wanted(search, *txn)) WriteTransaction(json, *txn, context.utc_offset);
    }
    Respond(*call, 200, json.EndArray().EndObject().Take());
  });
}

// retry and stop: as dtm's resetNextCronTime and forceStop, but 404 for an unknown gid.
void Change(ApiContext& context, CallPtr call, const std::string& gid, RequestKind kind) {
  WithTransaction(
      context, std::move(call), gid, [&context, gid, kind](CallPtr to, const TransactionPtr&) {
        StatusOr<Request> request =
            MakeRequest(kind, TransInput{.gid = gid}, context.limits, context.topics);
        if (!request.ok()) return RespondBad(*to, request.status());
        context.manager.Request(*std::move(request), to->loop(), [to](const ClientAnswer& answer) {
          to->Respond(ToHttp(answer));
        });
      });
}

// One client that waits for an end.
class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  Waiting(ApiContext& context,
          std::shared_ptr<std::atomic<int>> count,
          CallPtr call,
          std::string gid,
          Duration left)
      : context_(context),
        count_(std::move(count)),
        call_(std::move(call)),
        gid_(std::move(gid)),
        end_(call_->loop().turn_time() + left),
        timer_(call_->loop()) {}
  ~Waiting() { count_->fetch_sub(1); }

  void Look() {
    WithTransaction(
        context_, call_, gid_, [self = shared_from_this()](const CallPtr&, const auto& txn) {
          self->OnFound(*txn);
        });
  }

 private:
  void OnFound(const Transaction& txn) {
    const bool over = call_->cancelled() || call_->loop().turn_time() >= end_;
    if (!IsFinal(txn.status) && !over) {
      // The timer holds this until it fires.
      timer_.set_callback([hold = shared_from_this()]() mutable {
        const auto self = std::exchange(hold, nullptr);
        self->Look();
      });
      return timer_.ArmAfter(kWaitPoll);
    }
    JsonWriter json;
    json.BeginObject().Field("gid", txn.gid).Field("status", WireName(txn.status));
    json.Key("final").Bool(IsFinal(txn.status)).Field("error", txn.rollback_reason);
    json.Field("result", txn.result).EndObject();
    Respond(*call_, IsFinal(txn.status) ? 200 : 202, json.Take());
  }

  ApiContext& context_;
  const std::shared_ptr<std::atomic<int>> count_;  // of all that wait
  const CallPtr call_;
  const std::string gid_;
  const std::chrono::steady_clock::time_point end_;
  net::Timer timer_;
};

void Wait(ApiContext& context,
          const std::shared_ptr<std::atomic<int>>& count,
          CallPtr call,
          const std::string& gid) {
  const StatusOr<int64_t> seconds =
      IntParam(*call, "timeout", kWaitSecondsDefault, 0, kWaitSecondsMax);
  if (!seconds.ok()) return RespondBad(*call, seconds.status());
  if (count->fetch_add(1) >= kWaitersMax) {
    count->fetch_sub(1);
    return call->Respond(HttpError(ResourceExhausted("too many clients wait; try again")));
  }
  std::make_shared<Waiting>(context, count, std::move(call), gid, Seconds(*seconds))->Look();
}

}  // namespace

void RegisterHttpV1Api(ApiContext& context, HttpRouter& router) {
  router.Add("GET", "/api/v1/transactions", [&context](CallPtr call, const std::string&) {
    Find(context, std::move(call));
  });
  router.Add("GET", "/api/v1/transactions/*", [&context](CallPtr call, const std::string& gid) {
    WithTransaction(
        context, std::move(call), gid, [&context](const CallPtr& to, const TransactionPtr& txn) {
          Respond(*to, 200, QueryJson(txn.get(), context.utc_offset));
        });
  });
  router.Add(
      "POST", "/api/v1/transactions/*/retry", [&context](CallPtr call, const std::string& gid) {
        Change(context, std::move(call), gid, RequestKind::kResetNextCronTime);
      });
  router.Add(
      "POST", "/api/v1/transactions/*/stop", [&context](CallPtr call, const std::string& gid) {
        Change(context, std::move(call), gid, RequestKind::kForceStop);
      });
  router.Add(
      "GET",
      "/api/v1/transactions/*/wait",
      [&context, count = std::make_shared<std::atomic<int>>(0)](
          CallPtr call, const std::string& gid) { Wait(context, count, std::move(call), gid); });
}

}  // namespace troth
