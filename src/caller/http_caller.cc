#include "caller/http_caller.h"

#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "base/text.h"
#include "caller/outcome_rules.h"

namespace troth {
namespace {

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

std::string_view OpName(const Call& call) {
  return call.op == BranchOp::kWorkflow ? std::string_view(call.txn->workflow_name)
                                        : WireName(call.op);
}

// Content-Type first, so that a branch header of that name replaces it.
Headers CallHeaders(const Transaction& txn) {
  Headers headers;
  bool content_type_given = false;
  for (const StringPairs* pairs : {&txn.ext_headers, &txn.options.branch_headers}) {
    for (const auto& [key, value] : *pairs) {
      headers.emplace_back(key, value);
      content_type_given |= EqualsIgnoreCase(key, "content-type");
    }
  }
  if (!content_type_given) headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("Accept", "application/json");
  return headers;
}

}  // namespace

std::string BranchUrl(const Call& call) {
  const std::string_view url = call.url.substr(0, call.url.find('#'));
  std::string out(url);
  const size_t query = url.find('?');
  if (query == url.npos) {
    out += '?';
  } else if (query + 1 < url.size() && !url.ends_with('&')) {
    out += '&';
  }
  CatTo(out, "branch_id=", QueryEscape(call.branch_id), "&gid=", QueryEscape(call.txn->gid));
  CatTo(out, "&op=", QueryEscape(OpName(call)), "&trans_type=", WireName(call.txn->type));
  return out;
}

StatusOr<std::string> JsonRpcBody(const Call& call, std::string_view request_id) {
  namespace json = boost::json;
  json::object params;
  if (!call.payload.empty()) {
    boost::system::error_code failed;
    json::value payload = json::parse({call.payload.data(), call.payload.size()}, failed);
    if (failed || !payload.is_object()) {
      return InvalidArgument("payload of a JSON-RPC branch is not a JSON object; send one");
    }
    params = std::move(payload.get_object());
  }
  const auto set = [&params](std::string_view key, std::string_view value) {
    params[json::string_view(key.data(), key.size())] =
        json::string_view(value.data(), value.size());
  };
  set("branch_id", call.branch_id);
  set("gid", call.txn->gid);
  set("op", OpName(call));
  set("trans_type", WireName(call.txn->type));

  const std::string_view url = call.url;
  const size_t at = url.find("method=");
  std::string method;
  if (at != url.npos) {
    std::string_view value = url.substr(at + 7);
    value = value.substr(0, value.find_first_of("&#"));
    method = PercentDecode(value, /*plus_is_space=*/true).value_or(std::string(value));
  }
  json::object body;
  body["id"] = json::string_view(request_id.data(), request_id.size());
  body["jsonrpc"] = "2.0";
  body["method"] = method;
  body["params"] = std::move(params);
  return json::serialize(body);
}

void HttpCaller::Start(const Call& call, CallSink& sink) {
  const bool json_rpc =
      call.txn->protocol == Protocol::kJsonRpc && call.url.find("method") != call.url.npos;
  json_rpc ? StartJsonRpc(call, sink) : StartHttp(call, sink);
}

void HttpCaller::StartHttp(const Call& call, CallSink& sink) {
  const bool post = !call.payload.empty() || call.txn->type == TransType::kXa;
  const std::string url = BranchUrl(call);
  const Headers headers = CallHeaders(*call.txn);
  const net::HttpClientRequest request{.method = post ? "POST" : "GET",
                                       .url = url,
                                       .headers = headers,
                                       .body = call.payload,
                                       .timeout = call.timeout,
                                       .connect_to = {}};
  targets_.Send(
      request,
      [to = &sink, id = call.id, number = call.call](StatusOr<net::HttpClientResponse> reply) {
        to->OnCallDone(
            id,
            number,
            reply.ok() ? HttpOutcome(reply->status, reply->body) : UnknownOutcome(reply.status()));
      });
}

void HttpCaller::StartJsonRpc(const Call& call, CallSink& sink) {
  const StatusOr<std::string> body = JsonRpcBody(call, NewGid(random_));
  if (!body.ok()) return Refuse(call, sink, std::string(Message(body.status())));
  const Headers headers = CallHeaders(*call.txn);
  const net::HttpClientRequest request{.method = "POST",
                                       .url = call.url.substr(0, call.url.find('#')),
                                       .headers = headers,
                                       .body = *body,
                                       .timeout = call.timeout,
                                       .connect_to = {}};
  targets_.Send(
      request,
      [to = &sink, id = call.id, number = call.call](StatusOr<net::HttpClientResponse> reply) {
        to->OnCallDone(id,
                       number,
                       reply.ok() ? JsonRpcOutcome(reply->status, reply->body)
                                  : UnknownOutcome(reply.status()));
      });
}

void HttpCaller::Refuse(const Call& call, CallSink& sink, std::string error) {
  loop_.Post([to = &sink, id = call.id, number = call.call, text = std::move(error)] {
    to->OnCallDone(id, number, UnknownOutcome(text));
  });
}

}  // namespace troth
