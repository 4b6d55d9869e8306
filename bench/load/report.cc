#include "bench/load/report.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace troth::bench {
namespace {

constexpr size_t kTitleWidth = 22;
constexpr size_t kColumnWidth = 36;

std::string Number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

std::string Cell(const std::optional<Spread>& spread, int decimals) {
  if (!spread) return "not measured";
  std::string cell = Number(spread->median, decimals);
  if (spread->runs > 1) {
    CatTo(cell, "  (", Number(spread->min, decimals), " .. ", Number(spread->max, decimals), ")");
  }
  return cell;
}

std::string JsonSpread(const MeasureInfo& info, const Spread& spread) {
  const auto number = [](double value) { return Number(value, 6); };
  return Cat('"',
             info.key,
             R"(":{"median":)",
             number(spread.median),
             R"(,"min":)",
             number(spread.min),
             R"(,"max":)",
             number(spread.max),
             R"(,"runs":)",
             spread.runs,
             '}');
}

}  // namespace

std::string Describe(const SessionOptions& options) {
  const LoadOptions& load = options.load;
  const std::string how = load.rate > 0 ? Cat("open loop at ", Number(load.rate, 0), "/s")
                                        : Cat(load.in_flight, " in flight");
  return Cat(load.scenario,
             ", ",
             how,
             ", ",
             options.repeats,
             " x ",
             Number(load.seconds, 1),
             " s after ",
             Number(load.warmup_seconds, 1),
             " s of warm-up");
}

std::string Table(const SessionOptions& options, const std::vector<TargetSummary>& targets) {
  std::string table = Describe(options) + "\n" + Padded("", kTitleWidth);
  for (const TargetSummary& target : targets) table += Padded(target.name, kColumnWidth);
  table += '\n';
  for (const MeasureInfo& info : Measures()) {
    std::string row = Padded(Cat("  ", info.title), kTitleWidth);
    bool any = false;
    for (const TargetSummary& target : targets) {
      const std::optional<Spread> spread = target.summary.Get(info.measure);
      any = any || spread.has_value();
      row += Padded(Cell(spread, info.decimals), kColumnWidth);
    }
    const bool expected = info.measure != Measure::kStoreCpu;  // there is none unless told of
    if (any || expected) table += row + "\n";
  }
  return table;
}

std::string Json(const SessionOptions& options, const std::vector<TargetSummary>& targets) {
  const LoadOptions& load = options.load;
  std::string json = Cat(R"({"scenario":")",
                         load.scenario,
                         R"(","in_flight":)",
                         load.in_flight,
                         R"(,"rate":)",
                         Number(load.rate, 1),
                         R"(,"seconds":)",
                         Number(load.seconds, 1),
                         R"(,"targets":[)");
  for (const TargetSummary& target : targets) {
    std::vector<std::string> members = {Cat(R"("name":")", target.name, '"')};
    for (const MeasureInfo& info : Measures()) {
      const std::optional<Spread> spread = target.summary.Get(info.measure);
      if (spread) members.push_back(JsonSpread(info, *spread));
    }
    if (json.back() == '}') json += ',';
    CatTo(json, '{', JoinText(members, ","), '}');
  }
  return json + "]}\n";
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  std::ofstream file(path);
  file << text;
  file.close();
  return file ? OkStatus() : Internal(Cat("cannot write ", path));
}

}  // namespace troth::bench
