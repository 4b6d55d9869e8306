# Third-party libraries, each under one target name:
#
#   troth::rocksdb  absl::*                         built by `./dev setup`, static
#   troth::asio  troth::beast  troth::json          Boost 1.81
#   troth::openssl  troth::protobuf  troth::zlib    Debian's
#   troth::yaml  troth::cli11  troth::spdlog  troth::prometheus
#   troth::libpq  troth::libmariadb  troth::hiredis   Debian's, each used in one folder of src/store
#   troth::malloc                                   Debian's tcmalloc where TROTH_TCMALLOC is on, or nothing
#   troth::gtest  troth::benchmark  Threads::Threads
#   troth::nghttp2                                  Debian's, for tests and benchmarks: the other side of ours

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# --- What `./dev setup` builds -------------------------------------------------------------------
set(_deps_script "${PROJECT_SOURCE_DIR}/tools/dev/deps.sh")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${_deps_script}" "${PROJECT_SOURCE_DIR}/bench/release.proftext"
             "${PROJECT_SOURCE_DIR}/bench/rocksdb.proftext")

function(troth_find_built name result)
  set(deps_profile use)
  if(TROTH_PROFILE STREQUAL "generate")
    set(deps_profile generate)
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env "TROTH_SANITIZE=${TROTH_SANITIZE}" "TROTH_PROFILE=${deps_profile}"
            "${_deps_script}" where "${name}"
    OUTPUT_VARIABLE where OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(failed)
    if(TROTH_SANITIZE STREQUAL "thread")
      message(FATAL_ERROR "${name} is not built for ThreadSanitizer yet; run ./dev tsan")
    endif()
    message(FATAL_ERROR "${name} is not built yet; run ./dev setup")
  endif()
  set(${result} "${where}" PARENT_SCOPE)
endfunction()

troth_find_built(absl _absl)
set(absl_DIR "${_absl}/lib/cmake/absl" CACHE PATH "" FORCE)
find_package(absl REQUIRED CONFIG)

troth_find_built(rocksdb _rocksdb)
find_library(TROTH_LZ4 lz4 REQUIRED)
add_library(troth::rocksdb STATIC IMPORTED GLOBAL)
set_target_properties(troth::rocksdb PROPERTIES
  IMPORTED_LOCATION "${_rocksdb}/lib/librocksdb.a"
  INTERFACE_INCLUDE_DIRECTORIES "${_rocksdb}/include"
  INTERFACE_LINK_LIBRARIES "${TROTH_LZ4};Threads::Threads;${CMAKE_DL_LIBS}")

# --- Boost, headers only ------------------------------------------------------------------------
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)

add_library(troth_asio INTERFACE)
add_library(troth::asio ALIAS troth_asio)
target_link_libraries(troth_asio INTERFACE Boost::headers OpenSSL::SSL Threads::Threads)
target_compile_definitions(troth_asio INTERFACE BOOST_ASIO_NO_DEPRECATED)

add_library(troth_beast INTERFACE)
add_library(troth::beast ALIAS troth_beast)
target_link_libraries(troth_beast INTERFACE troth_asio)

# Boost.JSON compiled once, here, so that nobody compiles it in their own files.
set(_json_source "${PROJECT_BINARY_DIR}/third_party/boost_json.cc")
file(CONFIGURE OUTPUT "${_json_source}" CONTENT "#include <boost/json/src.hpp>\n")
add_library(troth_json STATIC EXCLUDE_FROM_ALL "${_json_source}")
add_library(troth::json ALIAS troth_json)
target_link_libraries(troth_json PUBLIC Boost::headers)

add_library(troth_openssl INTERFACE)
add_library(troth::openssl ALIAS troth_openssl)
target_link_libraries(troth_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)

add_library(troth_zlib INTERFACE)
add_library(troth::zlib ALIAS troth_zlib)
target_link_libraries(troth_zlib INTERFACE ZLIB::ZLIB)

# --- The rest -----------------------------------------------------------------------------------
find_package(Protobuf REQUIRED)
add_library(troth_protobuf INTERFACE)
add_library(troth::protobuf ALIAS troth_protobuf)
target_link_libraries(troth_protobuf INTERFACE protobuf::libprotobuf)

find_package(yaml-cpp REQUIRED)
add_library(troth_yaml INTERFACE)
add_library(troth::yaml ALIAS troth_yaml)
target_link_libraries(troth_yaml INTERFACE yaml-cpp)

find_package(CLI11 REQUIRED)
add_library(troth_cli11 INTERFACE)
add_library(troth::cli11 ALIAS troth_cli11)
target_link_libraries(troth_cli11 INTERFACE CLI11::CLI11)

find_package(spdlog REQUIRED)
add_library(troth_spdlog INTERFACE)
add_library(troth::spdlog ALIAS troth_spdlog)
target_link_libraries(troth_spdlog INTERFACE spdlog::spdlog)

find_package(prometheus-cpp REQUIRED COMPONENTS core)
add_library(troth_prometheus INTERFACE)
add_library(troth::prometheus ALIAS troth_prometheus)
target_link_libraries(troth_prometheus INTERFACE prometheus-cpp::core)

find_path(TROTH_LIBPQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
find_library(TROTH_LIBPQ pq REQUIRED)
add_library(troth::libpq UNKNOWN IMPORTED GLOBAL)
set_target_properties(troth::libpq PROPERTIES
  IMPORTED_LOCATION "${TROTH_LIBPQ}" INTERFACE_INCLUDE_DIRECTORIES "${TROTH_LIBPQ_INCLUDE}")

find_path(TROTH_LIBMARIADB_INCLUDE mysql.h PATH_SUFFIXES mariadb REQUIRED)
find_library(TROTH_LIBMARIADB mariadb REQUIRED)
add_library(troth::libmariadb UNKNOWN IMPORTED GLOBAL)
set_target_properties(troth::libmariadb PROPERTIES
  IMPORTED_LOCATION "${TROTH_LIBMARIADB}" INTERFACE_INCLUDE_DIRECTORIES "${TROTH_LIBMARIADB_INCLUDE}")

find_library(TROTH_HIREDIS hiredis REQUIRED)
add_library(troth_hiredis INTERFACE)
add_library(troth::hiredis ALIAS troth_hiredis)
target_link_libraries(troth_hiredis INTERFACE "${TROTH_HIREDIS}")

# Replaces malloc of the program that links it, by being found before the C library.
add_library(troth_malloc INTERFACE)
add_library(troth::malloc ALIAS troth_malloc)
if(TROTH_TCMALLOC)
  find_library(TROTH_TCMALLOC_LIBRARY tcmalloc_minimal REQUIRED)
  target_link_libraries(troth_malloc INTERFACE "${TROTH_TCMALLOC_LIBRARY}")
endif()

find_package(GTest REQUIRED)
add_library(troth_gtest INTERFACE)
add_library(troth::gtest ALIAS troth_gtest)
target_link_libraries(troth_gtest INTERFACE GTest::gmock GTest::gtest)

find_package(benchmark REQUIRED)
add_library(troth_benchmark INTERFACE)
add_library(troth::benchmark ALIAS troth_benchmark)
target_link_libraries(troth_benchmark INTERFACE benchmark::benchmark)

find_path(TROTH_NGHTTP2_INCLUDE nghttp2/nghttp2.h REQUIRED)
find_library(TROTH_NGHTTP2 nghttp2 REQUIRED)
add_library(troth::nghttp2 UNKNOWN IMPORTED GLOBAL)
set_target_properties(troth::nghttp2 PROPERTIES
  IMPORTED_LOCATION "${TROTH_NGHTTP2}" INTERFACE_INCLUDE_DIRECTORIES "${TROTH_NGHTTP2_INCLUDE}")
