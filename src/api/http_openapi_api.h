#pragma once
// GET /api/v1/openapi.json: docs/openapi.json, which describes every route.

#include <string_view>

#include "api/http_router.h"

namespace troth {

// The text of the file; part of the program.
std::string_view OpenApiJson();

void RegisterOpenApi(HttpRouter& router);

}  // namespace troth
