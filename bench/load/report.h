#pragma once
// Figures for people (a table) and for programs (JSON).

#include <string>
#include <vector>

#include "base/status.h"
#include "bench/load/session.h"

namespace troth::bench {

// What was run, in one line.
std::string Describe(const SessionOptions& options);
// A column for each target: the median and, when there were several runs, the smallest and largest.
std::string Table(const SessionOptions& options, const std::vector<TargetSummary>& targets);
std::string Json(const SessionOptions& options, const std::vector<TargetSummary>& targets);
// Makes the folder too.
Status WriteFile(const std::string& path, const std::string& text);

}  // namespace troth::bench
