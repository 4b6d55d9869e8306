#include "api/http_admin_api.h"

#include <memory>
#include <utility>

#include "api/answers.h"
#include "base/text.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;

constexpr int64_t kPageDefault = 100;
constexpr int64_t kPageMax = 1000;

void RespondJson(net::HttpCall& call, std::string json) {
  net::HttpResponse response;
  response.body = std::move(json);
  call.Respond(std::move(response));
}

std::string Param(const net::HttpCall& call, std::string_view name) {
  return call.request().Param(name).value_or("");
}

// An absent parameter is the default; anything but a number is dtm's error.
StatusOr<int64_t> IntParam(const net::HttpCall& call, std::string_view name, int64_t otherwise) {
  const std::string text = Param(call, name);
  if (text.empty()) return otherwise;
  const std::optional<int64_t> value = ParseInt(text);
  if (!value) return InvalidArgument(Cat("convert to int error: ", text));
  return *value;
}

StatusOr<size_t> LimitParam(const net::HttpCall& call) {
  TROTH_ASSIGN_OR_RETURN(const int64_t limit, IntParam(call, "limit", kPageDefault));
  if (limit < 1 || limit > kPageMax) {
    return InvalidArgument(Cat("limit is ", limit, "; it must be between 1 and ", kPageMax));
  }
  return static_cast<size_t>(limit);
}

// Milliseconds since 1970, cut to seconds as dtm does.
StatusOr<std::optional<TimePoint>> MillisParam(const net::HttpCall& call, std::string_view name) {
  if (Param(call, name).empty()) return std::optional<TimePoint>();
  TROTH_ASSIGN_OR_RETURN(const int64_t millis, IntParam(call, name, 0));
  constexpr int64_t kMillisMax = 253402300799999;  // the end of year 9999
  if (millis < 0 || millis > kMillisMax) {
    return InvalidArgument(Cat(name, " is ", millis, "; it must be milliseconds since 1970"));
  }
  return std::optional<TimePoint>(TimePoint(Seconds(millis / 1000)));
}

StatusOr<ListFilter> ReadFilter(const net::HttpCall& call) {
  ListFilter filter;
  filter.position = Param(call, "position");
  TROTH_ASSIGN_OR_RETURN(filter.limit, LimitParam(call));
  if (const std::string status = Param(call, "status"); !status.empty()) {
    filter.status = ParseTransStatus(status);
    if (!filter.status) {
      return InvalidArgument(Cat("unknown status '",
                                 status,
                                 "'; it must be prepared, submitted, aborting, succeed or failed"));
    }
  }
  if (const std::string type = Param(call, "transType"); !type.empty()) {
    filter.type = ParseTransType(type);
    if (!filter.type) {
      return InvalidArgument(
          Cat("unknown transType '", type, "'; it must be msg, saga, tcc, xa or workflow"));
    }
  }
  TROTH_ASSIGN_OR_RETURN(filter.created_from, MillisParam(call, "createTimeStart"));
  TROTH_ASSIGN_OR_RETURN(filter.created_to, MillisParam(call, "createTimeEnd"));
  // The end is given in whole seconds and counts as a whole.
  if (filter.created_to) *filter.created_to += Seconds(1) - Duration(1);
  return filter;
}

void Query(ApiContext& context, CallPtr call) {
  std::string gid = Param(*call, "gid");
  if (gid.empty()) return call->Respond(HttpError(InvalidArgument("no gid specified")));
  net::Loop& loop = call->loop();
  context.manager.Query(
      std::move(gid),
      loop,
      [&context, call = std::move(call)](StatusOr<std::shared_ptr<const Transaction>> txn) {
        txn.ok() ? RespondJson(*call, QueryJson(txn->get(), context.utc_offset))
                 : call->Respond(HttpError(txn.status()));
      });
}

void RespondPage(const ApiContext& context, net::HttpCall& call, const TransactionPage& page) {
  JsonWriter json;
  json.BeginObject().Field("next_position", page.next_position).Key("transactions").BeginArray();
  for (const auto& txn : page.transactions) WriteTransaction(json, *txn, context.utc_offset);
  RespondJson(call, json.EndArray().EndObject().Take());
}

// all?gid=: that one transaction or null; the position comes back as it was sent.
void AllOfGid(ApiContext& context, CallPtr call, std::string gid) {
  net::Loop& loop = call->loop();
  context.manager.Query(
      std::move(gid),
      loop,
      [&context, call = std::move(call)](StatusOr<std::shared_ptr<const Transaction>> txn) {
        if (!txn.ok()) return call->Respond(HttpError(txn.status()));
        JsonWriter json;
        json.BeginObject().Field("next_position", Param(*call, "position")).Key("transactions");
        if (*txn == nullptr) {
          json.Null();
        } else {
          json.BeginArray();
          WriteTransaction(json, **txn, context.utc_offset);
          json.EndArray();
        }
        RespondJson(*call, json.EndObject().Take());
      });
}

void All(ApiContext& context, CallPtr call) {
  if (std::string gid = Param(*call, "gid"); !gid.empty()) {
    return AllOfGid(context, std::move(call), std::move(gid));
  }
  StatusOr<ListFilter> filter = ReadFilter(*call);
  if (!filter.ok()) return call->Respond(HttpError(filter.status()));
  net::Loop& loop = call->loop();
  context.manager.List(
      *std::move(filter), loop, [&context, call = std::move(call)](StatusOr<TransactionPage> page) {
        page.ok() ? RespondPage(context, *call, *page) : call->Respond(HttpError(page.status()));
      });
}

// Runs `job` on a store thread and sends the JSON it makes.
void RespondFromStore(ApiContext& context,
                      CallPtr call,
                      std::function<StatusOr<std::string>(Store&)> job) {
  net::Loop& loop = call->loop();
  const bool accepted =
      context.manager.RunOnStore([call, &loop, job = std::move(job)](Store& store) {
        loop.Post([call, json = job(store)] {
          json.ok() ? RespondJson(*call, *json) : call->Respond(HttpError(json.status()));
        });
      });
  if (!accepted) {
    call->Respond(HttpError(ResourceExhausted("too much is waiting for the store; try again")));
  }
}

void ResetCronTime(ApiContext& context, CallPtr call) {
  // Later than three timeouts: what has been waiting for long.
  const StatusOr<int64_t> timeout = IntParam(*call, "timeout", 3 * context.timeout_to_fail_seconds);
  const StatusOr<size_t> limit = LimitParam(*call);
  if (!timeout.ok()) return call->Respond(HttpError(timeout.status()));
  if (!limit.ok()) return call->Respond(HttpError(limit.status()));
  if (*timeout < 0 || *timeout > context.limits.option_seconds_max) {
    return call->Respond(HttpError(InvalidArgument("timeout must be between 0 and a year")));
  }
  RespondFromStore(
      context,
      std::move(call),
      [&context, after = Seconds(*timeout), limit = *limit](Store& store) -> StatusOr<std::string> {
        const TimePoint now = context.clock.Now();
        TROTH_ASSIGN_OR_RETURN(const ResetCount count, store.ResetDue(now, now + after, limit));
        JsonWriter json;
        json.BeginObject().Key("has_remaining").Bool(count.more);
        json.Field("succeed_count", static_cast<int64_t>(count.changed));
        return json.EndObject().Take();
      });
}

void ScanKv(ApiContext& context, CallPtr call) {
  const StatusOr<size_t> limit = LimitParam(*call);
  if (!limit.ok()) return call->Respond(HttpError(limit.status()));
  std::string category = Param(*call, "cat");
  std::string position = Param(*call, "position");
  RespondFromStore(
      context,
      std::move(call),
      [&context, category = std::move(category), position = std::move(position), limit = *limit](
          Store& store) -> StatusOr<std::string> {
        std::string next;
        TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> records,
                               store.ScanKv(category, position, limit, &next));
        JsonWriter json;
        json.BeginObject().Key("kv").BeginArray();
        for (const KvRecord& kv : records) WriteKv(json, kv, context.utc_offset);
        return json.EndArray().Field("next_position", next).EndObject().Take();
      });
}

void QueryKv(ApiContext& context, CallPtr call) {
  std::string category = Param(*call, "cat");
  std::string key = Param(*call, "key");
  RespondFromStore(context,
                   std::move(call),
                   [&context, category = std::move(category), key = std::move(key)](
                       Store& store) -> StatusOr<std::string> {
                     TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> records,
                                            store.FindKv(category, key));
                     JsonWriter json;
                     json.BeginObject().Key("kv").BeginArray();
                     for (const KvRecord& kv : records) WriteKv(json, kv, context.utc_offset);
                     return json.EndArray().EndObject().Take();
                   });
}

void RespondTopicChange(ApiContext& context, CallPtr call, TopicChange change) {
  net::Loop& loop = call->loop();
  ChangeTopics(context, std::move(change), loop, [call = std::move(call)](const Status& status) {
    status.ok() ? RespondJson(*call, std::string(kSuccessJson)) : call->Respond(HttpError(status));
  });
}

void AddTopicRoutes(ApiContext& context, HttpRouter& router) {
  router.Add("GET", "/api/dtmsvr/subscribe", [&context](CallPtr call, const std::string&) {
    auto change = [topic = Param(*call, "topic"),
                   url = Param(*call, "url"),
                   remark = Param(*call, "remark")](Topics& topics, Store& store, TimePoint now) {
      return topics.Subscribe(store, topic, url, remark, now);
    };
    RespondTopicChange(context, std::move(call), std::move(change));
  });
  router.Add("GET", "/api/dtmsvr/unsubscribe", [&context](CallPtr call, const std::string&) {
    auto change = [topic = Param(*call, "topic"), url = Param(*call, "url")](
                      Topics& topics, Store& store, TimePoint now) {
      return topics.Unsubscribe(store, topic, url, now);
    };
    RespondTopicChange(context, std::move(call), std::move(change));
  });
  router.Add("DELETE", "/api/dtmsvr/topic/*", [&context](CallPtr call, const std::string& topic) {
    RespondTopicChange(context, std::move(call), [topic](Topics& topics, Store& store, TimePoint) {
      return topics.Delete(store, topic);
    });
  });
}

}  // namespace

void RegisterHttpAdminApi(ApiContext& context, HttpRouter& router) {
  const auto get = [&](std::string_view name, void (*serve)(ApiContext&, CallPtr)) {
    router.Add(
        "GET", Cat("/api/dtmsvr/", name), [&context, serve](CallPtr call, const std::string&) {
          serve(context, std::move(call));
        });
  };
  get("query", Query);
  get("all", All);
  get("resetCronTime", ResetCronTime);
  get("scanKV", ScanKv);
  get("queryKV", QueryKv);
  AddTopicRoutes(context, router);
}

}  // namespace troth
