#include "api/http_v1_api.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/answers.h"
#include "api/http_v1_common.h"
#include "api/wire_json.h"
#include "base/text.h"

namespace troth {
namespace {

using CallPtr = std::shared_ptr<net::HttpCall>;
using TransactionPtr = std::shared_ptr<const Transaction>;

constexpr int64_t kPageDefault = 100;
constexpr int64_t kPageMax = 1000;

// Hands the stored transaction on; 404 when there is none.
void WithTransaction(ApiContext& context,
                     CallPtr call,
                     const std::string& gid,
                     std::function<void(CallPtr, const TransactionPtr&)> use) {
  net::Loop& loop = call->loop();
  context.manager.Query(
      gid, loop, [call = std::move(call), gid, use = std::move(use)](StatusOr<TransactionPtr> txn) {
        if (!txn.ok()) return call->Respond(HttpError(txn.status()));
        if (*txn == nullptr) return call->Respond(NoTransaction(gid));
        use(call, *txn);
      });
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
  std::string error;     // part of the rollback reason, or of a call's error
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

bool HasError(const Transaction& txn, std::string_view part) {
  if (txn.rollback_reason.find(part) != std::string::npos) return true;
  return std::ranges::any_of(txn.attempts, [part](const Attempt& attempt) {
    return attempt.error.find(part) != std::string::npos;
  });
}

bool Wanted(const Search& search, const Transaction& txn) {
  if (!HasError(txn, search.error)) return false;
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
    json.EndArray().Key("damaged").BeginArray();
    for (const DamagedRecord& record : page->damaged) {
      json.BeginObject().Field("gid", record.gid).Field("error", record.error).EndObject();
    }
    RespondJson(*call, 200, json.EndArray().EndObject().Take());
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

}  // namespace

void RegisterHttpV1Api(ApiContext& context, HttpRouter& router) {
  router.Add("GET", "/api/v1/transactions", [&context](CallPtr call, const std::string&) {
    Find(context, std::move(call));
  });
  router.Add("GET", "/api/v1/transactions/*", [&context](CallPtr call, const std::string& gid) {
    WithTransaction(
        context, std::move(call), gid, [&context](const CallPtr& to, const TransactionPtr& txn) {
          RespondJson(*to, 200, LookJson(*txn, context.utc_offset));
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
}

}  // namespace troth
