#include "config/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/text.h"

namespace troth {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The settings after a YAML text, which must be right.
Settings FromYaml(std::string_view text) {
  Settings settings;
  const Status status = ReadYaml(text, settings);
  EXPECT_TRUE(status.ok()) << Message(status);
  return settings;
}

// What is told about a YAML text that must be wrong.
std::string YamlError(std::string_view text) {
  Settings settings;
  const Status status = ReadYaml(text, settings);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << text;
  return std::string(Message(status));
}

// A file with each key set to `integer` or `text`.
std::string YamlOfAllKeys(std::string_view integer, std::string_view text) {
  std::string yaml;
  std::string section;
  for (const Key& key : Keys()) {
    const size_t point = key.name.find('.');
    const std::string_view value = key.type == KeyType::kInteger ? integer : text;
    if (point == key.name.npos) {
      CatTo(yaml, key.name, ": ", value, "\n");
      continue;
    }
    if (section != key.name.substr(0, point)) {
      section = key.name.substr(0, point);
      CatTo(yaml, section, ":\n");
    }
    CatTo(yaml, "  ", key.name.substr(point + 1), ": ", value, "\n");
  }
  return yaml;
}

TEST(Settings, BeginWithTheDefaults) {
  const Settings settings;
  EXPECT_EQ(settings.Integer("HttpPort"), 36789);
  EXPECT_EQ(settings.Text("Store.RedisPrefix"), "{a}");
  for (const Key& key : Keys()) EXPECT_FALSE(settings.IsExplicit(key.name)) << key.name;
}

TEST(SettingsDeathTest, AreAskedForKnownKeysOfTheRightType) {
  const Settings settings;
  EXPECT_DEATH(settings.Text("HttpPort"), "must hold");
  EXPECT_DEATH(settings.Integer("LogLevel"), "must hold");
  EXPECT_DEATH(settings.Integer("Nothing"), "must hold");
}

TEST(ReadEnvironment, SetsEveryKey) {
  for (const Key& key : Keys()) {
    Settings settings;
    ASSERT_TRUE(ReadEnvironment({{EnvironmentName(key.name), "77"}}, settings).ok()) << key.name;
    EXPECT_TRUE(settings.IsExplicit(key.name)) << key.name;
    if (key.type == KeyType::kInteger) {
      EXPECT_EQ(settings.Integer(key.name), 77);
    } else {
      EXPECT_EQ(settings.Text(key.name), "77");
    }
  }
}

TEST(ReadEnvironment, TakesAnEmptyVariableForUnset) {
  Settings settings;
  ASSERT_TRUE(ReadEnvironment({{"HTTP_PORT", ""}, {"STORE_DRIVER", ""}}, settings).ok());
  EXPECT_EQ(settings.Integer("HttpPort"), 36789);
  EXPECT_FALSE(settings.IsExplicit("Store.Driver"));
}

TEST(ReadEnvironment, AcceptsASign) {
  Settings settings;
  ASSERT_TRUE(ReadEnvironment({{"HTTP_PORT", "+8"}, {"SHARDS", "-1"}}, settings).ok());
  EXPECT_EQ(settings.Integer("HttpPort"), 8);
  EXPECT_EQ(settings.Integer("Shards"), -1);
}

TEST(ReadEnvironment, NamesTheVariableThatIsNoNumber) {
  for (const char* text : {"tcp://10.0.0.1:6379", "8.5", "0x10", " 8", "99999999999999999999"}) {
    Settings settings;
    const Status status = ReadEnvironment({{"STORE_PORT", text}}, settings);
    EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
    EXPECT_EQ(Message(status),
              Cat("convert to int error: ",
                  text,
                  " (environment variable STORE_PORT should be a whole number)"));
  }
}

TEST(ReadEnvironment, RefusesWhatIsNotUtf8) {
  Settings settings;
  const Status status = ReadEnvironment({{"STORE_HOST", "h\xff"}}, settings);
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(Message(status)), HasSubstr("STORE_HOST"));
}

TEST(ProcessEnvironment, HasTheVariablesOfTheProcess) {
  ASSERT_EQ(setenv("TROTH_SOURCES_TEST", "a=b", 1), 0);
  EXPECT_EQ(ProcessEnvironment()["TROTH_SOURCES_TEST"], "a=b");
  ASSERT_EQ(unsetenv("TROTH_SOURCES_TEST"), 0);
}

TEST(ReadYaml, SetsEveryKey) {
  const Settings settings = FromYaml(YamlOfAllKeys("77", "word"));
  EXPECT_THAT(settings.warnings, IsEmpty());
  for (const Key& key : Keys()) {
    EXPECT_TRUE(settings.IsExplicit(key.name)) << key.name;
    if (key.type == KeyType::kInteger) {
      EXPECT_EQ(settings.Integer(key.name), 77);
    } else {
      EXPECT_EQ(settings.Text(key.name), "word");
    }
  }
}

TEST(ReadYaml, WinsOverWhatWasThere) {
  Settings settings;
  ASSERT_TRUE(ReadEnvironment({{"HTTP_PORT", "1"}, {"GRPC_PORT", "2"}}, settings).ok());
  ASSERT_TRUE(ReadYaml("HttpPort: 3", settings).ok());
  EXPECT_EQ(settings.Integer("HttpPort"), 3);
  EXPECT_EQ(settings.Integer("GrpcPort"), 2);
  EXPECT_EQ(settings.Integer("JsonRpcPort"), 36791);
}

TEST(ReadYaml, KeepsWhatWasThereAtANull) {
  Settings settings;
  ASSERT_TRUE(ReadEnvironment({{"HTTP_PORT", "1"}, {"STORE_HOST", "h"}}, settings).ok());
  ASSERT_TRUE(ReadYaml("HttpPort:\nLogLevel: null\nStore:\n  Host: ~\nLog:\n", settings).ok());
  EXPECT_EQ(settings.Integer("HttpPort"), 1);
  EXPECT_EQ(settings.Text("Store.Host"), "h");
  EXPECT_FALSE(settings.IsExplicit("LogLevel"));
}

TEST(ReadYaml, TakesAnyScalarAsText) {
  for (const char* text : {"0123", "true", "1.50", "2026-11-21", "'quoted'", "\"null\"", "a b"}) {
    std::string plain(text);
    std::erase_if(plain, [](char c) { return c == '\'' || c == '"'; });
    EXPECT_EQ(FromYaml(Cat("Store: {Password: ", text, "}")).Text("Store.Password"), plain);
  }
  const Settings empty = FromYaml("Store: {Db: ''}");
  EXPECT_EQ(empty.Text("Store.Db"), "");
}

TEST(ReadYaml, ReadsNumbersAsYamlWritesThem) {
  const std::pair<const char*, int64_t> cases[] = {
      {"7", 7},
      {"+7", 7},
      {"-7", -7},
      {"0", 0},
      {"3.7", 3},
      {"-3.7", -3},
      {"1e3", 1000},
      {"0x1F", 31},
      {"-0x1F", -31},
      {"0o17", 15},
      {"017", 15},
      {"0b101", 5},
      {"36_790", 36790},
      {"08.5", 8},
      {".5", 0},
      {"!!int 9", 9},
      {"9223372036854775807", std::numeric_limits<int64_t>::max()},
  };
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(FromYaml(Cat("Shards: ", text)).Integer("Shards"), value) << text;
  }
}

TEST(ReadYaml, RefusesIntegersThatAreNone) {
  for (const char* text : {"'7'",
                           "\"7\"",
                           "!!str 7",
                           "seven",
                           "true",
                           "7 7",
                           "1e30",
                           ".inf",
                           ".nan",
                           "0x",
                           "0xZZ",
                           "0x-1",
                           "7s",
                           "[7]",
                           "{a: 7}",
                           "+-7",
                           "9223372036854775808e1"}) {
    EXPECT_THAT(YamlError(Cat("\nShards: ", text)), HasSubstr("line 2: Shards should be")) << text;
  }
}

TEST(ReadYaml, ListsEveryLineThatIsWrong) {
  const std::string error = YamlError(
      "HttpPort: '1'\n"
      "GrpcPort: 2\n"
      "Store:\n"
      "  Port: '5432'\n"
      "  Host: [a, b]\n"
      "Log: stderr\n");
  EXPECT_EQ(error,
            "yaml: unmarshal errors:\n"
            "  line 1: HttpPort should be a whole number without quotes\n"
            "  line 4: Store.Port should be a whole number without quotes\n"
            "  line 5: Store.Host should be a single value\n"
            "  line 6: Log should have its keys below it, each on an indented line");
}

TEST(ReadYaml, RefusesAKeySetTwice) {
  EXPECT_THAT(YamlError("HttpPort: 1\nGrpcPort: 2\nHttpPort: 3\n"),
              EndsWith("line 3: HttpPort is set twice; remove one of them"));
  EXPECT_THAT(YamlError("Log: {}\nLog: {}\n"), HasSubstr("line 2: Log is set twice"));
}

TEST(ReadYaml, NeverShowsASecretInAnError) {
  EXPECT_THAT(YamlError("Store: {Password: [hidden], Port: 'x'}"), Not(HasSubstr("hidden")));
}

TEST(ReadYaml, WarnsOfUnknownKeysWithASuggestion) {
  const Settings settings = FromYaml(
      "httpPort: 1\n"
      "GrpcBalancer: round_robin\n"
      "Store:\n"
      "  Drivr: redis\n"
      "microService:\n"
      "  Driver: x\n"
      "Store.Host: h\n");
  EXPECT_THAT(settings.warnings,
              ElementsAre("line 1: unknown key httpPort is ignored; did you mean HttpPort?",
                          "line 2: unknown key GrpcBalancer is ignored",
                          "line 4: unknown key Store.Drivr is ignored; did you mean Store.Driver?",
                          "line 5: unknown key microService is ignored; did you mean MicroService?",
                          "line 7: unknown key Store.Host is ignored; write it in two lines, "
                          "`Store:` and below it `  Host: …`"));
}

TEST(ReadYaml, BoundsItsWarningsAndErrors) {
  std::string unknown;
  std::string wrong = "Store: 1\n";
  for (int i = 0; i < 5000; ++i) {
    CatTo(unknown, "HttpPort", i, ": 1\n");
    wrong += "Store: 1\n";
  }
  const Settings settings = FromYaml(unknown);
  EXPECT_THAT(settings.warnings, SizeIs(101));
  EXPECT_EQ(settings.warnings.back(), "… and more of the kind");
  EXPECT_THAT(YamlError(wrong),
              AllOf(EndsWith("… and more of the kind"), SizeIs(testing::Lt(8192))));
}

TEST(ReadYaml, AcceptsAnEmptyFile) {
  for (const char* text : {"", "\n\n", "# a comment\n", "---\n", "{}", "~"}) {
    EXPECT_THAT(FromYaml(text).warnings, IsEmpty()) << text;
  }
}

TEST(ReadYaml, ReadsAFileWithWindowsLinesAndByteOrderMark) {
  EXPECT_EQ(FromYaml("\xef\xbb\xbfHttpPort: 1\r\nLogLevel: warn\r\n").Text("LogLevel"), "warn");
}

TEST(ReadYaml, ResolvesAliases) {
  const Settings settings =
      FromYaml("Store: {User: &name me, Db: *name}\nLog: &all {Outputs: stdout, Log: *all}\n");
  EXPECT_EQ(settings.Text("Store.Db"), "me");
  EXPECT_THAT(settings.warnings, ElementsAre(HasSubstr("Log.Log")));
}

TEST(ReadYaml, WarnsOfFurtherDocuments) {
  const Settings settings = FromYaml("HttpPort: 1\n---\nHttpPort: 2\n");
  EXPECT_EQ(settings.Integer("HttpPort"), 1);
  EXPECT_THAT(settings.warnings, ElementsAre(HasSubstr("only the first document")));
}

TEST(ReadYaml, RefusesWhatTheParserWouldPassOver) {
  EXPECT_THAT(YamlError("\n,,HttpPort: 1\n"), HasSubstr("should begin with a key"));
  EXPECT_THAT(YamlError("---\n---\nHttpPort: 1\n"), HasSubstr("should begin with a key"));
}

TEST(ReadYaml, TellsTheLineOfBrokenYaml) {
  EXPECT_THAT(YamlError("HttpPort: 1\nStore: [\n"), testing::StartsWith("yaml: line "));
  EXPECT_EQ(YamlError("HttpPort: 1\nStore: \"x\n"), "yaml: line 2: illegal EOF in scalar");
  EXPECT_THAT(YamlError("HttpPort: 1\n  GrpcPort: 2\n"), testing::StartsWith("yaml: line 2: "));
  EXPECT_THAT(YamlError("a: *nothing"), HasSubstr("the referenced anchor is not defined"));
}

TEST(ReadYaml, RefusesARootThatIsNoMap) {
  for (const char* text : {"word", "- a\n- b\n", "36789"}) {
    EXPECT_THAT(YamlError(text), HasSubstr("line 1: the file should consist of lines")) << text;
  }
}

TEST(ReadYaml, RefusesWhatIsNotText) {
  EXPECT_THAT(YamlError("HttpPort: 1\nStore: {Host: \xff}\n"), HasSubstr("line 2: control"));
  EXPECT_THAT(YamlError(std::string("HttpPort: 1\n\x04\nx: [", 17)), HasSubstr("line 2: control"));
  EXPECT_THAT(YamlError(std::string_view("\0", 1)), HasSubstr("line 1: control"));
  EXPECT_THAT(YamlError("Store: {Path: \"a\\0b\"}"), HasSubstr("zero byte"));
}

TEST(ReadYaml, SurvivesDeepNesting) {
  YamlError(std::string(100'000, '['));
  YamlError(std::string(100'000, '{'));
  std::string indented;
  for (size_t i = 0; i < 1000; ++i) CatTo(indented, std::string(i, ' '), "a:\n");
  YamlError(indented);
}

TEST(ReadYaml, IgnoresKeysThatAreNoWords) {
  EXPECT_THAT(YamlError("? [a, b]\n: 1\n"), HasSubstr("a key should be a single word"));
}

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() /
             Cat("troth-config-file-",
                 getpid(),
                 "-",
                 testing::UnitTest::GetInstance()->current_test_info()->name()))
                .string();
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string path_;
};

TEST_F(ConfigFile, IsRead) {
  std::ofstream(path_) << "HttpPort: 1\n";
  EXPECT_EQ(ReadConfigFile(path_).value(), "HttpPort: 1\n");
}

TEST_F(ConfigFile, IsMissing) {
  EXPECT_EQ(Message(ReadConfigFile(path_).status()),
            Cat("open ", path_, ": no such file or directory"));
}

TEST_F(ConfigFile, IsAFolder) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(Message(ReadConfigFile(path_).status()), Cat("read ", path_, ": is a directory"));
}

TEST_F(ConfigFile, IsAsLargeAsItMayBe) {
  std::ofstream(path_) << std::string(kConfigFileBytesMax, '#');
  EXPECT_TRUE(ReadConfigFile(path_).ok());
}

TEST_F(ConfigFile, IsTooLarge) {
  std::ofstream(path_) << std::string(kConfigFileBytesMax + 1, '#');
  EXPECT_THAT(std::string(Message(ReadConfigFile(path_).status())),
              HasSubstr("larger than 1048576 bytes"));
}

}  // namespace
}  // namespace troth
