# What nearly every file includes, compiled once: a test then takes half the time. Files still include
# what they use; the presets without TROTH_PRECOMPILE (release, sim, gcc) see to that.

option(TROTH_PRECOMPILE "Compile the headers that nearly every file includes only once" OFF)

set(_troth_headers
    <algorithm> <array> <atomic> <chrono> <deque> <functional> <map> <memory> <mutex> <optional>
    <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>
    <absl/container/flat_hash_map.h> <absl/status/statusor.h> <absl/synchronization/mutex.h>)

# A target whose precompiled headers others of its kind use; it stands for their compiler flags.
function(_troth_precompiled target)
  set(empty "${PROJECT_BINARY_DIR}/${target}.cc")
  file(CONFIGURE OUTPUT "${empty}" CONTENT "int main() {}\n")
  add_executable(${target} EXCLUDE_FROM_ALL "${empty}")
  target_link_libraries(${target} PRIVATE troth_compile_options absl::flat_hash_map absl::statusor
                                          absl::synchronization)
  target_precompile_headers(${target} PRIVATE ${_troth_headers} ${ARGN})
endfunction()

if(TROTH_PRECOMPILE)
  _troth_precompiled(troth_library_headers)
  _troth_precompiled(troth_test_headers <filesystem> <fstream> <set> <sstream> <gtest/gtest.h> <gmock/gmock.h>)
  # Libraries are compiled with -fPIC, programs with -fPIE; the headers must be, too.
  set_target_properties(troth_library_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(troth_library_headers PRIVATE -fPIC)
  target_link_libraries(troth_test_headers PRIVATE troth_gtest)
  if(TROTH_SANITIZE)  # as the tests that use them, see troth_test
    target_compile_options(troth_test_headers PRIVATE -O0)
  endif()
endif()

# Has `target` use the headers of troth_library_headers or troth_test_headers.
function(troth_precompile target headers)
  if(TROTH_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${headers})
  endif()
endfunction()
