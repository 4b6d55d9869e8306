// Keeps docs/configuration.md and conf.sample.yml in step with the table of keys. Runs at the root
// of the repository, as ctest does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "config/config.h"

namespace troth {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string ReadRepositoryFile(const std::string& path) {
  const auto text = ReadConfigFile(path);
  EXPECT_TRUE(text.ok()) << Message(text.status()) << "; run this test at the repository's root";
  return text.value_or("");
}

// "`HttpPort`" -> "HttpPort".
std::string_view InBackticks(std::string_view cell) {
  cell = TrimSpace(cell);
  const bool is_code = cell.size() >= 2 && cell.starts_with('`') && cell.ends_with('`');
  return is_code ? cell.substr(1, cell.size() - 2) : cell;
}

struct DocumentedKey {
  std::string variable;
  std::string type;
  std::string default_value;
  std::string effect;
};

// The rows "| `key` | `VARIABLE` | type | `default` | meaning | effect |".
std::map<std::string, DocumentedKey> DocumentedKeys() {
  static constexpr size_t kCells = 8;  // six, and the empty ones outside
  std::map<std::string, DocumentedKey> keys;
  const std::string text = ReadRepositoryFile("docs/configuration.md");
  for (const std::string_view line : Split(text, '\n')) {
    const auto cells = Split(line, '|');
    if (cells.size() != kCells || !TrimSpace(cells[1]).starts_with('`')) continue;
    const std::string name(InBackticks(cells[1]));
    const DocumentedKey key = {.variable = std::string(InBackticks(cells[2])),
                               .type = std::string(TrimSpace(cells[3])),
                               .default_value = std::string(InBackticks(cells[4])),
                               .effect = std::string(TrimSpace(cells[6]))};
    EXPECT_TRUE(keys.emplace(name, key).second) << name << " is documented twice";
  }
  return keys;
}

TEST(Documentation, ListsEveryKeyAsTheCodeHasIt) {
  std::map<std::string, DocumentedKey> documented = DocumentedKeys();
  for (const Key& key : Keys()) {
    const auto row = documented.extract(std::string(key.name));
    ASSERT_FALSE(row.empty()) << key.name << " is missing in docs/configuration.md";
    EXPECT_EQ(row.mapped().variable, EnvironmentName(key.name));
    EXPECT_EQ(row.mapped().type, key.type == KeyType::kInteger ? "integer" : "text") << key.name;
    EXPECT_EQ(row.mapped().default_value, key.default_value) << key.name;
    EXPECT_EQ(row.mapped().effect.starts_with("none"), !key.unused_because.empty()) << key.name;
    if (!key.stores.empty()) EXPECT_EQ(row.mapped().effect, key.stores) << key.name;
  }
  for (const auto& [name, row] : documented) ADD_FAILURE() << name << " is no key of the code";
}

TEST(Documentation, HasTheExampleOfKratosWithEtcd) {
  const std::string example =
      "MicroService:\n"
      " Driver: 'dtm-driver-kratos'\n"
      " Target: 'etcd://127.0.0.1:2379/dtmservice'\n"
      " EndPoint: 'grpc://localhost:36790'\n";
  EXPECT_THAT(ReadRepositoryFile("docs/configuration.md"), HasSubstr(example));
  Settings settings;
  ASSERT_TRUE(ReadYaml(example, settings).ok());
  EXPECT_THAT(settings.warnings, IsEmpty());
  EXPECT_EQ(settings.Text("MicroService.EndPoint"), "grpc://localhost:36790");
}

TEST(Sample, ChangesNothingAsItIs) {
  const Config config = LoadConfig("conf.sample.yml", {}).value();
  EXPECT_EQ(DescribeConfig(config), DescribeConfig(LoadConfig({}, {}).value()));
  EXPECT_THAT(config.warnings, IsEmpty());
}

TEST(Sample, ShowsEveryKeyWithItsDefault) {
  std::string uncommented;
  const std::string sample = ReadRepositoryFile("conf.sample.yml");
  for (const std::string_view line : Split(sample, '\n')) {
    CatTo(uncommented, line.starts_with('#') ? line.substr(1) : line, '\n');
  }
  Settings settings;
  const Status status = ReadYaml(uncommented, settings);
  ASSERT_TRUE(status.ok()) << Message(status);
  EXPECT_THAT(settings.warnings, IsEmpty());
  const Settings defaults;
  for (const Key& key : Keys()) {
    EXPECT_TRUE(settings.IsExplicit(key.name)) << key.name << " is missing in conf.sample.yml";
    if (key.type == KeyType::kInteger) {
      EXPECT_EQ(settings.Integer(key.name), defaults.Integer(key.name)) << key.name;
    } else {
      EXPECT_EQ(settings.Text(key.name), defaults.Text(key.name)) << key.name;
    }
  }
}

}  // namespace
}  // namespace troth
