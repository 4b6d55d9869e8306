#include "api/http_v1_common.h"

#include <optional>
#include <utility>

#include "api/answers.h"
#include "base/text.h"

namespace troth {

void RespondJson(net::HttpCall& call, int status, std::string json) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(json);
  call.Respond(std::move(response));
}

void RespondBad(net::HttpCall& call, const Status& status) {
  RespondJson(call, 400, MessageJson(Message(status)));
}

net::HttpResponse NoTransaction(std::string_view gid) {
  net::HttpResponse response;
  response.status = 404;
  response.body = MessageJson(Cat("there is no transaction with gid ", gid));
  return response;
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

}  // namespace troth
