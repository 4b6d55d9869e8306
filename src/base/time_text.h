#pragma once
// FormatTime without a text of its own, for what writes many times.

#include <cstddef>

#include "base/time.h"

namespace troth {

inline constexpr size_t kTimeTextMax = 40;

// Writes what FormatTime(time) returns at `to`, where there is room for kTimeTextMax; returns its
// end. Any thread.
char* WriteTime(char* to, TimePoint time);

}  // namespace troth
