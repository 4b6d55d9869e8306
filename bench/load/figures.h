#pragma once
// What a run found, by name, and what several runs found together.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troth::bench {

// The figures there are, in the order of a table.
enum class Measure {
  kThroughput,
  kServerCpu,
  kStoreCpu,
  kGeneratorCpu,
  kP50,
  kP90,
  kP99,
  kP999,
  kDiskBytes,
  kSyncs,
  kSyscalls,
  kAllocations,
  kResident,
  kBranchCalls,
  kFailed,
};

struct MeasureInfo {
  Measure measure;
  std::string_view key;    // in JSON
  std::string_view title;  // in a table
  int decimals;
};
const std::vector<MeasureInfo>& Measures();

// What could not be measured is missing.
using Figures = std::map<Measure, double>;

// Of several runs.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
  size_t runs = 0;
};
// Nothing of no values.
std::optional<Spread> SpreadOf(std::vector<double> values);

class Summary {
 public:
  void Add(const Figures& figures);
  // Nothing when no run had it.
  std::optional<Spread> Get(Measure measure) const;
  // The median; `otherwise` when no run had it.
  double Median(Measure measure, double otherwise) const;

 private:
  std::map<Measure, std::vector<double>> values_;
};

// For columns of a table: spaces up to the width.
std::string Padded(std::string text, size_t width);

}  // namespace troth::bench
