#pragma once
// A server under measurement, ours or another's, and the processes whose work counts as its own.

#include <sys/types.h>

#include <string>

namespace troth::bench {

struct Target {
  std::string name;  // "troth", or as the command line says
  std::string grpc;  // host:port
  std::string http;
  pid_t pid = 0;        // 0: not known, nothing is measured of the process
  pid_t store_pid = 0;  // of a database it uses; its children count too
};

}  // namespace troth::bench
