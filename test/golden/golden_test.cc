// Runs every golden script under test/golden and compares. With --update it rewrites the scripts
// with what the engine does now; the difference is then reviewed like any other.
//
//   build/dev/tests/golden_test            from the top folder
//   build/dev/tests/golden_test --update

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "golden_script.h"

namespace troth {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "test/golden";

std::vector<fs::path> Scripts() {
  std::vector<fs::path> scripts;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt") {
      scripts.push_back(entry.path());
    }
  }
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class GoldenScript : public testing::Test {
 public:
  explicit GoldenScript(fs::path path) : path_(std::move(path)) {}
  void TestBody() override {
    const std::string script = Read(path_);
    ASSERT_FALSE(script.empty());
    EXPECT_EQ(RunGoldenScript(script), script);
  }

 private:
  const fs::path path_;
};

// "msg/plain.txt" is the test msg.plain.
void RegisterTests() {
  for (const fs::path& path : Scripts()) {
    const std::string folder = path.parent_path().filename().string();
    testing::RegisterTest(folder.c_str(),
                          path.stem().string().c_str(),
                          nullptr,
                          nullptr,
                          __FILE__,
                          __LINE__,
                          [path]() -> testing::Test* { return new GoldenScript(path); });
  }
}

int Update() {
  int changed = 0;
  for (const fs::path& path : Scripts()) {
    const std::string before = Read(path);
    const std::string after = RunGoldenScript(before);
    if (after == before) continue;
    std::ofstream(path, std::ios::binary) << after;
    std::cout << "updated " << path.string() << "\n";
    ++changed;
  }
  std::cout << changed << " scripts changed\n";
  return 0;
}

}  // namespace
}  // namespace troth

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!std::filesystem::is_directory(troth::kFolder)) {
    std::cerr << "golden_test: no folder " << troth::kFolder
              << " here: run it from the top folder\n";
    return 2;
  }
  if (argc > 1 && std::string(argv[1]) == "--update") return troth::Update();
  troth::RegisterTests();
  return RUN_ALL_TESTS();
}
