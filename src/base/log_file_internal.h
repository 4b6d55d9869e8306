#pragma once
// A log file that starts anew when it is full.

#include <spdlog/details/file_helper.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>

namespace troth::log_internal {

// Renames the full file to <stem>-<UTC time><extension>, as the log files of dtm are named, and
// keeps the newest `files_max` of those; 0 keeps all. spdlog's own rotating file renames every old
// file each time. Thread-safe. Throws spdlog_ex, as all of spdlog's sinks do.
class RotatingFile final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  RotatingFile(const std::string& path, int64_t bytes_max, int64_t files_max);

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;
  void Rotate();
  void RemoveOldest() const;

  const std::string path_;
  const int64_t bytes_max_;
  const int64_t files_max_;
  spdlog::details::file_helper file_;
  int64_t size_ = 0;
};

}  // namespace troth::log_internal
