# How we compile: the language, the warnings, the sanitizers. The presets set these options.

option(TROTH_WERROR "Warnings stop the build" OFF)
option(TROTH_TESTS "Build and register the tests; without it they are built only by name" ON)
option(TROTH_LTO "Optimise across files when linking" OFF)
option(TROTH_TCMALLOC "The server takes its memory from tcmalloc; not with sanitizers, which bring their own" OFF)
option(TROTH_FUZZ "Build the fuzz targets (clang only)" OFF)
option(TROTH_COVERAGE "Record which lines the tests reach (clang only)" OFF)
set(TROTH_PROFILE "" CACHE STRING
    "generate: write how often what runs; use: compile by that record, bench/release.proftext (clang only)")
set(TROTH_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(TROTH_CLANG TRUE)
else()
  set(TROTH_CLANG FALSE)
endif()

# Everything of ours links this; it has no effect on what is not ours.
add_library(troth_compile_options INTERFACE)
target_compile_options(troth_compile_options INTERFACE -Wall -Wextra -Wshadow -Wconversion
                       # leaving fields of a struct at their defaults is what they are for
                       -Wno-missing-field-initializers)
if(TROTH_CLANG)
  target_compile_options(troth_compile_options INTERFACE -Wthread-safety -Wno-sign-conversion)
endif()
if(TROTH_WERROR)
  target_compile_options(troth_compile_options INTERFACE -Werror)
endif()
if(NOT TROTH_CLANG)
  # GCC 12 sees dangers inside inlined coroutines and std::string that are not there (GCC bugs 105329,
  # 105562); what clang warns of stays the rule.
  target_compile_options(troth_compile_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized
                                                         -Wno-dangling-pointer)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")
add_compile_options("$<$<CONFIG:Release>:-fno-plt>")

if(TROTH_LTO AND TROTH_CLANG)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin -ffat-lto-objects "LINKER:--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache"
                   "LINKER:--thinlto-cache-policy=cache_size_bytes=1g")
  find_program(TROTH_LLVM_AR NAMES llvm-ar-19 REQUIRED)
  find_program(TROTH_LLVM_RANLIB NAMES llvm-ranlib-19 REQUIRED)
  set(CMAKE_AR "${TROTH_LLVM_AR}")
  set(CMAKE_RANLIB "${TROTH_LLVM_RANLIB}")
  set(CMAKE_CXX_COMPILER_AR "${TROTH_LLVM_AR}")
  set(CMAKE_CXX_COMPILER_RANLIB "${TROTH_LLVM_RANLIB}")
endif()

# lld links in a third of the time of the default linker. GCC knows it only by its plain name.
if(TROTH_CLANG)
  find_program(TROTH_LLD NAMES ld.lld-19 ld.lld)
  if(TROTH_LLD)
    add_link_options("--ld-path=${TROTH_LLD}")
  endif()
endif()
add_link_options("LINKER:--as-needed" "LINKER:--gc-sections")
add_compile_options(-ffunction-sections -fdata-sections)

if(TROTH_SANITIZE)
  add_compile_options("-fsanitize=${TROTH_SANITIZE}" -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${TROTH_SANITIZE}")
  if(TROTH_CLANG AND TROTH_SANITIZE MATCHES "undefined")
    # Half of our dependencies were built without a sanitizer and share no type information.
    add_compile_options(-fno-sanitize=vptr,function)
  endif()
endif()
if(TROTH_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TROTH_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

if(TROTH_PROFILE AND TROTH_CLANG)
  # Static functions are known by their file's name, wherever the tree lies.
  add_compile_options("SHELL:-mllvm -static-func-full-module-prefix=false")
  if(TROTH_PROFILE STREQUAL "generate")
    add_compile_options(-fprofile-generate)
    add_link_options(-fprofile-generate)
  else()
    execute_process(COMMAND "${PROJECT_SOURCE_DIR}/tools/dev/deps.sh" profile
      OUTPUT_VARIABLE _profile OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _failed)
    if(_failed)
      message(FATAL_ERROR "the record of what runs is not converted yet; run ./dev setup")
    endif()
    # A function that has changed since is compiled without its record until the next one is made.
    add_compile_options("-fprofile-use=${_profile}" -Wno-profile-instr-out-of-date
                        -Wno-profile-instr-unprofiled)
  endif()
endif()

find_program(TROTH_CCACHE ccache)
if(TROTH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for before it caches a file that uses precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${TROTH_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${TROTH_CCACHE}")
endif()
