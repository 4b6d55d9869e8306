#pragma once

namespace troth {

// Of this build; answered by /api/dtmsvr/version and -v.
inline constexpr const char* kVersion = "v0.1.0";

}  // namespace troth
