#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/log_file_internal.h"
#include "base/text.h"
#include "base/time.h"

namespace troth::log_internal {
namespace {

namespace fs = std::filesystem;

// "log/troth.log" -> "log/troth-2026-11-21T09-33-03.807988.log", a name that is still free. All
// have the same width, so that their order is that of time.
fs::path BackupPath(const fs::path& path, TimePoint now) {
  static constexpr int64_t kSecond = 1'000'000;
  std::error_code ignored;
  for (;; now += Duration(1)) {
    std::string second = FormatTime(std::chrono::floor<std::chrono::seconds>(now));
    std::replace(second.begin(), second.end(), ':', '-');
    second.pop_back();  // the Z
    const std::string micros = Cat(kSecond + ToMicros(now) % kSecond).substr(1);
    fs::path backup =
        path.parent_path() /
        Cat(path.stem().string(), '-', second, '.', micros, path.extension().string());
    if (!fs::exists(backup, ignored)) return backup;
  }
}

bool IsBackupOf(const fs::path& path, const fs::path& candidate) {
  const std::string name = candidate.filename().string();
  // A digit after the dash: the year. "troth-audit.log" is another log's.
  const std::string prefix = Cat(path.stem().string(), '-');
  return name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= '0' &&
         name[prefix.size()] <= '9' && candidate.extension() == path.extension();
}

}  // namespace

RotatingFile::RotatingFile(const std::string& path, int64_t bytes_max, int64_t files_max)
    : path_(path), bytes_max_(bytes_max), files_max_(files_max) {
  file_.open(path_);
  size_ = static_cast<int64_t>(file_.size());
}

void RotatingFile::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  const auto line_size = static_cast<int64_t>(line.size());
  if (size_ > 0 && size_ + line_size > bytes_max_) Rotate();
  file_.write(line);
  size_ += line_size;
}

void RotatingFile::flush_() { file_.flush(); }

void RotatingFile::Rotate() {
  file_.close();
  std::error_code error;
  fs::rename(path_, BackupPath(path_, SystemClock().Now()), error);
  // A file that cannot be renamed grows by another bytes_max_: better than losing what it holds.
  file_.open(path_);
  size_ = error ? 0 : static_cast<int64_t>(file_.size());
  if (files_max_ > 0) RemoveOldest();
}

void RotatingFile::RemoveOldest() const {
  const fs::path path(path_);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<fs::path> backups;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (IsBackupOf(path, it->path())) backups.push_back(it->path());
  }
  const auto keep = static_cast<size_t>(files_max_);
  if (backups.size() <= keep) return;
  std::sort(backups.begin(), backups.end());  // by time, as the names carry it
  backups.resize(backups.size() - keep);
  for (const fs::path& backup : backups) fs::remove(backup, error);
}

}  // namespace troth::log_internal
