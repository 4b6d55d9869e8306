# What a folder's CMakeLists.txt says:
#
#   troth_library(engine SOURCES engine.cc retry.cc DEPS troth_base absl::status)
#   troth_test(engine_test SOURCES retry_test.cc DEPS troth_engine)
#   troth_binary(troth SOURCES main.cc DEPS troth_server)
#   troth_proto(troth_proto_dtm dtm.proto)
#
# Includes read from src/: #include "engine/engine.h".
include(GNUInstallDirs)

set(TROTH_SOURCE_ROOT "${PROJECT_SOURCE_DIR}/src")

# Adds each folder matching the patterns that has a CMakeLists.txt. EXCLUDE_FROM_ALL: as that of
# add_subdirectory.
function(troth_add_folders)
  cmake_parse_arguments(arg "EXCLUDE_FROM_ALL" "" "" ${ARGN})
  set(exclude "")
  if(arg_EXCLUDE_FROM_ALL)
    set(exclude EXCLUDE_FROM_ALL)
  endif()
  foreach(pattern IN LISTS arg_UNPARSED_ARGUMENTS)
    file(GLOB files CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
         "${PROJECT_SOURCE_DIR}/${pattern}/CMakeLists.txt")
    foreach(file IN LISTS files)
      cmake_path(GET file PARENT_PATH folder)
      add_subdirectory("${PROJECT_SOURCE_DIR}/${folder}" "${PROJECT_BINARY_DIR}/${folder}" ${exclude})
    endforeach()
  endforeach()
endfunction()

function(_troth_compile target)
  target_link_libraries(${target} PRIVATE troth_compile_options)
  target_include_directories(${target} PUBLIC "${TROTH_SOURCE_ROOT}")
endfunction()

# troth_library(<folder> [SOURCES ...] [HEADERS_ONLY] [DEPS ...] [PRIVATE_DEPS ...])
# The static library troth_<folder>, also troth::<folder>. DEPS are seen by whoever links it;
# PRIVATE_DEPS are what only the .cc files include.
function(troth_library folder)
  cmake_parse_arguments(arg "HEADERS_ONLY" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  _troth_no_leftovers("troth_library(${folder})")
  set(target troth_${folder})
  if(arg_HEADERS_ONLY OR NOT arg_SOURCES)
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${TROTH_SOURCE_ROOT}")
    target_link_libraries(${target} INTERFACE ${arg_DEPS})
  else()
    add_library(${target} STATIC EXCLUDE_FROM_ALL ${arg_SOURCES})  # built for what links it
    _troth_compile(${target})
    troth_precompile(${target} troth_library_headers)
    target_link_libraries(${target} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  endif()
  add_library(troth::${folder} ALIAS ${target})
endfunction()

# troth_binary(<target> SOURCES ... [DEPS ...] [OUTPUT_NAME name] [EXCLUDE_FROM_ALL])
# A program; it lands at the top of the build directory (build/release/troth).
function(troth_binary target)
  cmake_parse_arguments(arg "EXCLUDE_FROM_ALL" "OUTPUT_NAME" "SOURCES;DEPS" ${ARGN})
  _troth_no_leftovers("troth_binary(${target})")
  add_executable(${target} ${arg_SOURCES})
  _troth_compile(${target})
  target_link_libraries(${target} PRIVATE ${arg_DEPS})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  if(arg_OUTPUT_NAME)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME "${arg_OUTPUT_NAME}")
  endif()
  if(arg_EXCLUDE_FROM_ALL)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL TRUE)
  endif()
endfunction()

# Builds every test program and nothing else.
add_custom_target(troth_tests)

# troth_test(<target> SOURCES ... [DEPS ...] [LABELS unit] [TIMEOUT 60] [SERIAL] [WHOLE])
# A GoogleTest program with a main of its own unless its SOURCES define one (MAIN). Each TEST is a
# ctest test, or the program is one (WHOLE), for tests that share a server which is slow to start.
# The label is the tier `./dev test <tier>` runs it in. SERIAL: never beside another.
function(troth_test target)
  cmake_parse_arguments(arg "MAIN;SERIAL;WHOLE" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  _troth_no_leftovers("troth_test(${target})")
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  if(TROTH_SANITIZE)  # everything takes several times as long
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  add_executable(${target} ${arg_SOURCES})
  _troth_compile(${target})
  troth_precompile(${target} troth_test_headers)
  target_link_libraries(${target} PRIVATE ${arg_DEPS} troth_gtest)
  if(TROTH_SANITIZE)  # most of such a build is the optimising of tests, whose own code is not slow
    target_compile_options(${target} PRIVATE -O0)
  endif()
  if(NOT arg_MAIN)
    target_link_libraries(${target} PRIVATE GTest::gmock_main)
  endif()
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  if(NOT TROTH_TESTS)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    return()
  endif()
  add_dependencies(troth_tests ${target})
  set(properties LABELS "${arg_LABELS}" TIMEOUT "${arg_TIMEOUT}")
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  if(arg_WHOLE)
    add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${target} PROPERTIES ${properties})
    return()
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${target}/" DISCOVERY_MODE PRE_TEST
                       DISCOVERY_TIMEOUT 60 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
                       PROPERTIES ${properties})
endfunction()

# troth_benchmark(<name> SOURCES ... [DEPS ...]): the program bench_<name>, with google-benchmark.
function(troth_benchmark name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  _troth_no_leftovers("troth_benchmark(${name})")
  troth_binary(bench_${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS} troth::benchmark)
endfunction()

# troth_fuzz(<name> SOURCES ... [DEPS ...] [DEFINITIONS ...]): the libFuzzer program fuzz_<name>, only in
# the fuzz preset.
function(troth_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;DEFINITIONS" ${ARGN})
  _troth_no_leftovers("troth_fuzz(${name})")
  if(NOT TROTH_FUZZ)
    return()
  endif()
  set(target fuzz_${name})
  add_executable(${target} ${arg_SOURCES})
  target_compile_definitions(${target} PRIVATE ${arg_DEFINITIONS})
  _troth_compile(${target})
  target_link_libraries(${target} PRIVATE ${arg_DEPS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
endfunction()

# troth_proto(<target> files... [LITE] [DEPS other_proto_targets...])
# C++ for files under proto/, included by their path there (#include "dtm.pb.h"), and beside it one
# <target>.desc: a serialized FileDescriptorSet with everything they import. Its path is the target
# property TROTH_DESCRIPTOR_SET.
function(troth_proto target)
  cmake_parse_arguments(arg "LITE" "" "DEPS" ${ARGN})
  set(root "${PROJECT_SOURCE_DIR}/proto")
  set(out "${PROJECT_BINARY_DIR}/proto")
  set(descriptors "${out}/${target}.desc")
  set(sources "")
  set(inputs "")
  foreach(file IN LISTS arg_UNPARSED_ARGUMENTS)
    string(REGEX REPLACE "\\.proto$" "" stem "${file}")
    list(APPEND sources "${out}/${stem}.pb.cc")
    list(APPEND headers "${out}/${stem}.pb.h")
    list(APPEND inputs "${root}/${file}")
  endforeach()
  set(lite "")
  set(runtime protobuf::libprotobuf)
  if(arg_LITE)
    set(lite "lite:")
    set(runtime protobuf::libprotobuf-lite)
  endif()
  file(MAKE_DIRECTORY "${out}")
  add_custom_command(
    OUTPUT ${sources} ${headers} "${descriptors}"
    COMMAND protobuf::protoc "--proto_path=${root}" "--cpp_out=${lite}${out}" --include_imports
            "--descriptor_set_out=${descriptors}" ${inputs}
    DEPENDS ${inputs}
    COMMENT "protoc: ${target}"
    VERBATIM)
  add_library(${target} STATIC ${sources} ${headers})
  set_source_files_properties("${descriptors}" PROPERTIES GENERATED TRUE)
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_link_libraries(${target} PUBLIC ${runtime} ${arg_DEPS})
  set_target_properties(${target} PROPERTIES TROTH_DESCRIPTOR_SET "${descriptors}")
endfunction()

macro(_troth_no_leftovers what)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${what}: not understood: ${arg_UNPARSED_ARGUMENTS}")
  endif()
endmacro()

include(GoogleTest)
