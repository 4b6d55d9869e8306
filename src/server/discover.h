#pragma once
// `troth discover NAME|URL` and GET /api/v1/discover?name=: what an address resolves to and why.

#include <string>

#include "api/http_router.h"
#include "config/config.h"
#include "discovery/directory.h"
#include "discovery/explain.h"

namespace troth {

// `directory` outlives the router.
void RegisterDiscoverApi(Directory& directory, HttpRouter& router);

// The same as the command prints, and as the API answers.
std::string DescribeExplanation(const Explanation& explanation);
std::string ExplanationJson(const Explanation& explanation);

// Looks it up with the registry of the configuration and prints it; the exit code: 0 when there is
// an endpoint, 1 when there is none.
int RunDiscover(const MicroServiceConfig& config, const std::string& name);

}  // namespace troth
