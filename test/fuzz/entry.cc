// What libFuzzer calls. Compiled once for each target, whose function TROTH_FUZZ_TARGET names.

#include <cstddef>
#include <cstdint>

#include "targets.h"

// libFuzzer gives the name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troth::fuzz::TROTH_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
