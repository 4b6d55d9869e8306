#pragma once
// What the routes of /api/v1 share.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http1_server.h"

namespace troth {

void RespondJson(net::HttpCall& call, int status, std::string json);
// 400 with the text of the error.
void RespondBad(net::HttpCall& call, const Status& status);
// 404.
net::HttpResponse NoTransaction(std::string_view gid);

// A number of the query; `otherwise` when it is absent, an error outside of [low, high].
StatusOr<int64_t> IntParam(
    const net::HttpCall& call, std::string_view name, int64_t otherwise, int64_t low, int64_t high);

}  // namespace troth
