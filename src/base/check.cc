#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace troth::check_internal {

void Fail(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: a bug: this must hold and does not: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace troth::check_internal
