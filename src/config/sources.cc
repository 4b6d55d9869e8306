#include "config/sources.h"

#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <vector>

#include "base/text.h"

namespace troth {
namespace {

// A file full of mistakes should not fill the log.
constexpr size_t kFindingsMax = 100;

void AddFinding(std::vector<std::string>& findings, std::string finding) {
  if (findings.size() == kFindingsMax) findings.push_back("… and more of the kind");
  if (findings.size() > kFindingsMax) return;
  findings.push_back(std::move(finding));
}

std::optional<int64_t> ParseRadix(std::string_view digits, int radix) {
  int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, radix);
  if (error != std::errc{} || stop != end || digits.starts_with('-')) return std::nullopt;
  return value;
}

// 3.7, 1e3; cut to a whole number, as dtm does.
std::optional<int64_t> ParseFloat(std::string_view text) {
  static constexpr double kAboveInt64 = 0x1p63;
  if (text.find_first_not_of("0123456789.eE+-") != text.npos) return std::nullopt;  // inf, nan
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  if (value >= kAboveInt64 || value < -kAboveInt64) return std::nullopt;
  return static_cast<int64_t>(std::trunc(value));
}

// The numbers YAML knows: 36790, +8, 36_790, 0x8FB6, 0o17, 0b11, and 017, which is octal in
// YAML 1.1.
std::optional<int64_t> ParseYamlInteger(std::string text) {
  std::erase(text, '_');
  const bool negative = text.starts_with('-');
  const bool has_sign = negative || text.starts_with('+');
  const std::string_view digits = std::string_view(text).substr(has_sign ? 1 : 0);
  std::optional<int64_t> value;
  if (digits.size() < 2 || digits[0] != '0') {
    value = ParseInt(text);
    return value.has_value() ? value : ParseFloat(text);
  }
  switch (digits[1]) {
    case 'x': value = ParseRadix(digits.substr(2), 16); break;
    case 'o': value = ParseRadix(digits.substr(2), 8); break;
    case 'b': value = ParseRadix(digits.substr(2), 2); break;
    default: value = ParseRadix(digits, 8);
  }
  if (!value.has_value()) return ParseFloat(text);
  return negative ? -*value : *value;
}

// Walks the document and takes over what it knows. Collects what is wrong, line by line.
class YamlReader {
 public:
  explicit YamlReader(Settings& settings) : settings_(settings) {}

  void ReadRoot(const YAML::Node& root) {
    if (root.IsNull() || !root.IsDefined()) return;  // empty, or comments only
    if (root.IsMap()) return ReadSection("", root);
    Problem(root, "the file should consist of lines such as `HttpPort: 36789`");
  }
  std::vector<std::string>& problems() { return problems_; }
  std::vector<std::string>& unknown() { return unknown_; }

 private:
  // `prefix` is empty or a section's name with its point.
  void ReadSection(std::string_view prefix, const YAML::Node& section) {
    std::set<std::string> seen;
    for (const auto& entry : section) {
      const YAML::Node& key_node = entry.first;
      if (!key_node.IsScalar()) {
        Problem(key_node, "a key should be a single word");
        continue;
      }
      const std::string name = Cat(prefix, key_node.Scalar());
      // `Store.Host: h` in one line is not how a section is written.
      const bool is_one_word = key_node.Scalar().find('.') == std::string::npos;
      if (!seen.insert(name).second) {
        Problem(key_node, Cat(name, " is set twice; remove one of them"));
      } else if (const Key* key = FindKey(name); key != nullptr && is_one_word) {
        ReadValue(*key, entry.second);
      } else if (IsSection(name) && is_one_word) {
        ReadSubsection(name, entry.second);
      } else {
        AddUnknown(name, key_node);
      }
    }
  }

  void ReadSubsection(const std::string& name, const YAML::Node& node) {
    if (node.IsNull()) return;
    if (node.IsMap()) return ReadSection(name + ".", node);
    Problem(node, Cat(name, " should have its keys below it, each on an indented line"));
  }

  void ReadValue(const Key& key, const YAML::Node& node) {
    if (node.IsNull()) return;
    if (!node.IsScalar()) return Problem(node, Cat(key.name, " should be a single value"));
    const std::string& text = node.Scalar();
    if (text.find('\0') != text.npos) return Problem(node, Cat(key.name, " has a zero byte"));
    switch (key.type) {
      case KeyType::kText: return settings_.SetText(key, text);
      case KeyType::kInteger: return ReadInteger(key, node);
    }
  }

  void ReadInteger(const Key& key, const YAML::Node& node) {
    const std::string& tag = node.Tag();
    const bool is_text = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (is_text) {
      return Problem(node, Cat(key.name, " should be a whole number without quotes"));
    }
    const std::optional<int64_t> value = ParseYamlInteger(node.Scalar());
    if (!value.has_value()) return Problem(node, Cat(key.name, " should be a whole number"));
    settings_.SetInteger(key, *value);
  }

  void AddUnknown(const std::string& name, const YAML::Node& node) {
    if (unknown_.size() > kFindingsMax) return;  // the search for a near name is not free
    const std::string_view closest = ClosestName(name);
    std::string hint;
    if (closest == name) {
      hint = Cat("; write it in two lines, `",
                 name.substr(0, name.find('.')),
                 ":` and below it `  ",
                 name.substr(name.find('.') + 1),
                 ": …`");
    } else if (!closest.empty()) {
      hint = Cat("; did you mean ", closest, "?");
    }
    AddFinding(unknown_, Cat("line ", Line(node), ": unknown key ", name, " is ignored", hint));
  }

  void Problem(const YAML::Node& node, std::string_view what) {
    AddFinding(problems_, Cat("line ", Line(node), ": ", what));
  }

  static int Line(const YAML::Node& node) { return node.Mark().line + 1; }

  Settings& settings_;
  std::vector<std::string> problems_;
  std::vector<std::string> unknown_;
};

// The first line that is not text: broken UTF-8, or control characters, which YAML forbids and the
// parser would take for the end of the file. 0: there is none.
int FirstBadLine(std::string_view text) {
  int number = 1;
  for (const std::string_view line : Split(text, '\n')) {
    const bool has_control = std::ranges::any_of(line, [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7f;
    });
    if (has_control || !IsValidUtf8(line)) return number;
    ++number;
  }
  return 0;
}

Status YamlError(std::string_view what) { return FailedPrecondition(Cat("yaml: ", what)); }

// For whoever wants to know only whether a document can be parsed.
class IgnoreEvents final : public YAML::EventHandler {
 public:
  using Style = YAML::EmitterStyle::value;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&,
                const std::string&,
                YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, Style) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, Style) override {}
  void OnMapEnd() override {}
};

// Not by YAML::LoadAll: that never returns when a document begins with a comma, since the parser
// then gives one empty document after the other.
bool HasSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  IgnoreEvents ignore;
  return parser.HandleNextDocument(ignore) && parser.HandleNextDocument(ignore);
}

// Throws YAML::Exception when the text cannot be parsed.
Status ReadFirstDocument(const std::string& text, Settings& settings) {
  const YAML::Node root = YAML::Load(text);
  const bool goes_on = HasSecondDocument(text);
  if (goes_on && !root.IsMap()) return YamlError("the file should begin with a key");
  YamlReader reader(settings);
  reader.ReadRoot(root);
  if (!reader.problems().empty()) {
    return YamlError(Cat("unmarshal errors:\n  ", JoinText(reader.problems(), "\n  ")));
  }
  for (std::string& warning : reader.unknown()) settings.warnings.push_back(std::move(warning));
  if (goes_on) {
    settings.warnings.push_back("only the first document of the configuration file is used");
  }
  return OkStatus();
}

// "No such file or directory" -> "no such file or directory", as Go prints it.
std::string SystemReason(int error) {
  std::string reason = std::generic_category().message(error);
  return ToLower(reason.substr(0, 1)) + reason.substr(1);
}

}  // namespace

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == text.npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Status ReadEnvironment(const Environment& environment, Settings& settings) {
  if (environment.empty()) return OkStatus();
  for (const Key& key : Keys()) {
    const std::string name = EnvironmentName(key.name);
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) continue;
    const std::string& text = found->second;
    if (!IsValidUtf8(text)) {
      return MakeStatus(StatusCode::kOutOfRange,
                        Cat("environment variable ", name, " is not valid UTF-8; set it anew"));
    }
    if (key.type == KeyType::kText) {
      settings.SetText(key, text);
    } else if (const std::optional<int64_t> value = ParseInt(text); value.has_value()) {
      settings.SetInteger(key, *value);
    } else {
      return MakeStatus(StatusCode::kOutOfRange,
                        Cat("convert to int error: ",
                            text,
                            " (environment variable ",
                            name,
                            " should be a whole number)"));
    }
  }
  return OkStatus();
}

StatusOr<std::string> ReadConfigFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return NotFound(Cat("open ", path, ": ", SystemReason(errno)));
  std::string text(kConfigFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return Unavailable(Cat("read ", path, ": ", SystemReason(errno)));
  }
  if (text.size() > kConfigFileBytesMax) {
    return FailedPrecondition(
        Cat("read ", path, ": larger than ", kConfigFileBytesMax, " bytes; is it the right file?"));
  }
  return text;
}

Status ReadYaml(std::string_view text, Settings& settings) {
  if (const int line = FirstBadLine(text); line != 0) {
    return YamlError(
        Cat("line ", line, ": control characters or invalid UTF-8; save the file as UTF-8 text"));
  }
  // The parser misses a quote that is never closed when the text ends in a line break.
  const std::string_view trimmed = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  try {
    return ReadFirstDocument(std::string(trimmed), settings);
  } catch (const YAML::Exception& error) {
    return YamlError(Cat("line ", error.mark.line + 1, ": ", error.msg));
  }
}

}  // namespace troth
