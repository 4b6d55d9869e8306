// Runs every target on its corpus in every build, without libFuzzer: what the fuzzer once broke is
// a file there, so this is where it stays fixed. And on some thousand inputs near it, always the
// same ones, as a short piece of fuzzing.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "targets.h"

namespace troth::fuzz {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct File {
  std::string name;
  std::string bytes;
};

// In the order of their names, so that every machine tries the same.
std::vector<File> Corpus(const Target& target) {
  std::vector<File> files;
  for (const auto& entry : fs::directory_iterator(fs::path(TROTH_FUZZ_CORPUS) / target.name)) {
    files.push_back({entry.path().filename(), ReadFile(entry.path())});
  }
  std::ranges::sort(files, {}, &File::name);
  return files;
}

// One small change: a bit, a byte, a piece left out or said twice, or the end of another file.
void ChangeOnce(std::string& bytes, const std::string& other, Random& random) {
  static constexpr uint64_t kPieceMax = 16;
  static constexpr std::string_view kTelling("\0\xff\x7f\x80{}[]\",:\r\n /-09", 18);
  const size_t at = random.Below(bytes.size() + 1);
  const size_t size = 1 + random.Below(kPieceMax);
  switch (random.Below(6)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
      return;
    case 1:
      if (at < bytes.size()) bytes[at] = kTelling[random.Below(kTelling.size())];
      return;
    case 2: bytes.insert(at, 1, kTelling[random.Below(kTelling.size())]); return;
    case 3: bytes.erase(at, size); return;
    case 4: bytes.insert(at, bytes.substr(at, size)); return;
    case 5: bytes = bytes.substr(0, at) + other.substr(random.Below(other.size() + 1)); return;
  }
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, TakesItsCorpusAndEveryBeginningOfIt) {
  const std::vector<File> corpus = Corpus(GetParam());
  EXPECT_FALSE(corpus.empty());
  for (const File& file : corpus) {
    SCOPED_TRACE(file.name);
    const std::string_view all = file.bytes;
    for (size_t size = 0; size < all.size(); size += 1 + all.size() / 64) {
      GetParam().run(all.substr(0, size));
    }
    GetParam().run(all);
  }
}

TEST_P(Replay, TakesWhatIsNearItsCorpus) {
  static constexpr int kInputs = 2'000;
  static constexpr uint64_t kChangesMax = 4;
  const std::vector<File> corpus = Corpus(GetParam());
  Random random(1);
  for (int i = 0; i < kInputs; ++i) {
    std::string bytes = corpus[random.Below(corpus.size())].bytes;
    const std::string& other = corpus[random.Below(corpus.size())].bytes;
    for (uint64_t left = 1 + random.Below(kChangesMax); left > 0; --left) {
      ChangeOnce(bytes, other, random);
    }
    GetParam().run(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Target, Replay, ::testing::ValuesIn(kTargets), [](const auto& info) {
  return std::string(info.param.name);
});

}  // namespace
}  // namespace troth::fuzz
