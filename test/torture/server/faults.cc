#include "faults.h"

#include <chrono>
#include <fstream>
#include <utility>

namespace troth {
namespace {

constexpr std::chrono::milliseconds kLookEvery(10);

// A setting that is not in the file is 0.
void ReadFaults(const std::string& path, Faults& faults) {
  std::ifstream file(path);
  int64_t sync_delay_ms = 0, sync_fails = 0, clock_offset_s = 0;
  std::string name;
  int64_t value = 0;
  while (file >> name >> value) {
    if (name == "sync_delay_ms") sync_delay_ms = value;
    if (name == "sync_fails") sync_fails = value;
    if (name == "clock_offset_s") clock_offset_s = value;
  }
  faults.sync_delay_ms = sync_delay_ms;
  faults.sync_fails = sync_fails;
  faults.clock_offset_s = clock_offset_s;
}

}  // namespace

ControlFile::ControlFile(std::string path, Faults& faults)
    : path_(std::move(path)), faults_(faults) {
  if (path_.empty()) return;
  ReadFaults(path_, faults_);
  thread_ = std::thread([this] { Follow(); });
}

ControlFile::~ControlFile() {
  ended_ = true;
  if (thread_.joinable()) thread_.join();
}

void ControlFile::Follow() {
  while (!ended_) {
    std::this_thread::sleep_for(kLookEvery);
    ReadFaults(path_, faults_);
  }
}

}  // namespace troth
