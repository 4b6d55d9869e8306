#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/log_line_internal.h"
#include "base/text.h"
#include "base/time.h"

namespace troth {
namespace {

using log_internal::JsonLine;
using log_internal::LogLine;
using log_internal::TextLine;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

namespace fs = std::filesystem;

LogLine Line(std::string_view event, const std::vector<LogField>& fields) {
  return {.time = FromMicros(1795253583807988), .event = event, .fields = fields};
}

TEST(TextLine, ShowsTimeLevelEventAndFields) {
  EXPECT_EQ(TextLine(Line("transaction ended", {{"gid", "g1"}, {"ms", 12}})),
            "2026-11-21T09:33:03.807Z info  transaction ended gid=g1 ms=12");
}

TEST(TextLine, QuotesValuesThatWouldBeReadWrong) {
  EXPECT_THAT(TextLine(Line("e", {{"a", "two words"}, {"b", ""}, {"c", "x=\"y\""}})),
              EndsWith(R"(e a="two words" b="" c="x=\"y\"")"));
}

TEST(TextLine, KeepsEverythingOnOneLine) {
  const std::string text = TextLine(Line("bad\nevent", {{"a", "x\ny\x1b[31m\r"}}));
  EXPECT_THAT(text, EndsWith(R"("bad\nevent" a="x\ny\u001b[31m\r")"));
}

TEST(TextLine, ReplacesWhatIsNotUtf8) {
  const std::string text = TextLine(Line("e\xff", {{"a", "\xc3"}}));
  EXPECT_TRUE(IsValidUtf8(text));
  EXPECT_THAT(text, EndsWith("\"e\xef\xbf\xbd\" a=\"\xef\xbf\xbd\""));
}

TEST(JsonLine, ShowsLevelTimeEventAndFields) {
  LogLine line = Line("transaction ended", {});
  const Status error = NotFound("gone");  // fields only look at it
  const std::vector<LogField> fields = {{"gid", "g1"}, {"ms", 12}, {"error", error}};
  line.fields = fields;
  line.level = LogLevel::kWarn;
  line.utc_offset = std::chrono::hours(8);
  EXPECT_EQ(JsonLine(line),
            R"({"level":"warn","ts":"2026-11-21T17:33:03.807+0800","msg":"transaction ended",)"
            R"("gid":"g1","ms":12,"error":"gone"})");
}

TEST(JsonLine, IsJsonWhateverTheValue) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const boost::json::value parsed = boost::json::parse(JsonLine(Line(bytes, {{"a", bytes}})));
  const std::string value(parsed.at("a").as_string());
  EXPECT_EQ(value, ToValidUtf8(bytes));
  EXPECT_EQ(parsed.at("msg"), parsed.at("a"));
}

// A folder of its own for each test; afterwards the log is as at the start of the process.
class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              Cat("troth-log-test-",
                  getpid(),
                  "-",
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directory(folder_);
  }
  void TearDown() override {
    ASSERT_TRUE(ConfigureLog({}).ok());
    fs::remove_all(folder_);
  }
  std::string Path(std::string_view name) const { return (folder_ / name).string(); }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<fs::path> Files() const {
    return {fs::directory_iterator(folder_), fs::directory_iterator()};
  }

  fs::path folder_;
};

TEST_F(LogFile, TakesLinesFromTheLevelUp) {
  ASSERT_TRUE(ConfigureLog({.level = LogLevel::kWarn, .outputs = Path("a.log")}).ok());
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
  LogDebug("quiet debug");
  LogInfo("quiet info");
  Log(LogLevel::kInfo, "quiet too");
  LogWarn("loud warning", {{"gid", "g1"}});
  LogError("loud error");
  const std::string text = Read(Path("a.log"));
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, AllOf(HasSubstr(" warn  loud warning gid=g1\n"), EndsWith("loud error\n")));
}

TEST_F(LogFile, WritesToEveryOutputAndMakesFolders) {
  const std::string outputs = Cat(Path("a.log"), " , ", Path("sub/b.log"));
  ASSERT_TRUE(ConfigureLog({.json = true, .outputs = outputs}).ok());
  LogInfo("hello");
  EXPECT_THAT(Read(Path("a.log")), StartsWith(R"({"level":"info","ts":)"));
  EXPECT_EQ(Read(Path("a.log")), Read(Path("sub/b.log")));
}

TEST_F(LogFile, UsesTheConfiguredTimeZone) {
  ASSERT_TRUE(
      ConfigureLog({.outputs = Path("a.log"), .utc_offset = std::chrono::minutes(-210)}).ok());
  LogInfo("hello");
  EXPECT_THAT(Read(Path("a.log")), MatchesRegex("[-0-9]+T[:.0-9]+-0330 info  hello\n"));
}

TEST_F(LogFile, KeepsTheOldSettingWhenAFileCannotBeOpened) {
  ASSERT_TRUE(ConfigureLog({.outputs = Path("a.log")}).ok());
  const Status status = ConfigureLog({.level = LogLevel::kError, .outputs = folder_.string()});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(Message(status)), HasSubstr(folder_.string()));
  LogInfo("still here");
  EXPECT_THAT(Read(Path("a.log")), EndsWith("still here\n"));
}

TEST_F(LogFile, WantsAnOutput) {
  EXPECT_EQ(ConfigureLog({.outputs = " , "}).code(), StatusCode::kInvalidArgument);
}

TEST_F(LogFile, RotatesAndKeepsTheNewest) {
  ASSERT_TRUE(
      ConfigureLog(
          {.outputs = Path("a.log"), .rotate = true, .rotate_max_mb = 1, .rotate_max_files = 2})
          .ok());
  std::ofstream(Path("a-audit.log")) << "another log's";
  const std::string half_megabyte(512 * 1024, 'x');
  for (int i = 0; i < 8; ++i) LogInfo(Cat("line ", i), {{"filler", half_megabyte}});
  // One line a file: the current, two old ones, and the stranger.
  EXPECT_THAT(Files(), SizeIs(4));
  EXPECT_THAT(Read(Path("a.log")), HasSubstr("line 7"));
  std::string old;
  for (const fs::path& path : Files()) {
    if (path.filename() != "a.log") old += Read(path).substr(0, 100);
  }
  EXPECT_THAT(old, AllOf(HasSubstr("line 5"), HasSubstr("line 6"), Not(HasSubstr("line 4"))));
  EXPECT_TRUE(fs::exists(Path("a-audit.log")));
}

TEST_F(LogFile, GoesOnWithAFullFileOfAnEarlierRun) {
  std::ofstream(Path("a.log")) << std::string(1024 * 1024, 'x');
  ASSERT_TRUE(ConfigureLog({.outputs = Path("a.log"), .rotate = true, .rotate_max_mb = 1}).ok());
  LogInfo("first line");
  EXPECT_THAT(Read(Path("a.log")), AllOf(HasSubstr("first line"), SizeIs(testing::Lt(100))));
  EXPECT_THAT(Files(), SizeIs(2));
}

TEST_F(LogFile, KeepsLinesOfManyThreadsApart) {
  ASSERT_TRUE(ConfigureLog({.outputs = Path("a.log")}).ok());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 100; ++i) LogInfo("whole line", {{"end", "here"}});
      });
    }
  }
  const std::string text = Read(Path("a.log"));
  const auto lines = Split(text, '\n');
  ASSERT_THAT(lines, SizeIs(401));
  for (size_t i = 0; i < 400; ++i) EXPECT_THAT(std::string(lines[i]), EndsWith("line end=here"));
}

}  // namespace
}  // namespace troth
