#pragma once
// TROTH_CHECK(condition): a bug found. On in every build; stops the process, which loses nothing
// acknowledged because the store has it.

namespace troth::check_internal {
[[noreturn]] void Fail(const char* file, int line, const char* condition);
}  // namespace troth::check_internal

#define TROTH_CHECK(condition)        \
  ((condition) ? static_cast<void>(0) \
               : ::troth::check_internal::Fail(__FILE__, __LINE__, #condition))
