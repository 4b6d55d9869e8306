// Runs every target on its corpus in every build, without libFuzzer. What the fuzzer once broke is
// a file there, so this is where it stays fixed.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "targets.h"

namespace troth::fuzz {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, TakesItsCorpusAndEveryBeginningOfIt) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(TROTH_FUZZ_CORPUS) / GetParam().name)) {
    SCOPED_TRACE(entry.path().filename());
    const std::string bytes = ReadFile(entry.path());
    const std::string_view all = bytes;
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 64) {
      GetParam().run(all.substr(0, size));
    }
    GetParam().run(all);
    ++files;
  }
  EXPECT_GT(files, 0U);
}

INSTANTIATE_TEST_SUITE_P(Target, Replay, ::testing::ValuesIn(kTargets), [](const auto& info) {
  return std::string(info.param.name);
});

}  // namespace
}  // namespace troth::fuzz
