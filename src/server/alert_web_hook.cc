#include "server/alert_web_hook.h"

#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "wire/json_writer.h"

namespace troth {

std::string AlertJson(const Alert& alert) {
  JsonWriter json;
  json.BeginObject().Field("branch", alert.url).Field("error", alert.error);
  json.Field("gid", alert.txn->gid).Field("retry_count", alert.retry_count);
  return json.Field("status", WireName(alert.txn->status)).EndObject().Take();
}

AlertWebHook::AlertWebHook(net::Loop& loop, std::string url, Duration timeout)
    : loop_(loop), url_(std::move(url)), timeout_(timeout), client_(loop, {}) {}

void AlertWebHook::Send(const Alert& alert) {
  if (open_.fetch_add(1) >= limits::kAlertsMax) {
    open_.fetch_sub(1);
    LogWarn("alert dropped: too many are on their way; is AlertWebHook reachable?",
            {{"gid", alert.txn->gid}});
    return;
  }
  loop_.Post([this, gid = alert.txn->gid, body = AlertJson(alert)] { Post(gid, body); });
}

void AlertWebHook::Post(const std::string& gid, const std::string& body) {
  const std::pair<std::string_view, std::string_view> headers[] = {
      {"Content-Type", "application/json"}};
  const net::HttpClientRequest request{.method = "POST",
                                       .url = url_,
                                       .headers = headers,
                                       .body = body,
                                       .timeout = timeout_,
                                       .connect_to = {}};
  client_.Send(request, [this, gid](const StatusOr<net::HttpClientResponse>& answer) {
    OnAnswer(gid, answer);
  });
}

void AlertWebHook::OnAnswer(const std::string& gid,
                            const StatusOr<net::HttpClientResponse>& answer) {
  open_.fetch_sub(1);
  if (!answer.ok()) {
    LogWarn("alert was not delivered; check AlertWebHook",
            {{"gid", gid}, {"error", answer.status()}});
  } else if (answer->status >= 300) {
    LogWarn("alert was refused; check AlertWebHook", {{"gid", gid}, {"status", answer->status}});
  }
}

}  // namespace troth
