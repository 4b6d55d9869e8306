#include "metrics/metrics_text.h"

#include "base/text.h"

namespace troth {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

void AppendLabelValue(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

void AppendLabel(std::string& out, bool& first, std::string_view name, std::string_view value) {
  CatTo(out, first ? "{" : ",", name, "=\"");
  first = false;
  AppendLabelValue(out, value);
  out += '"';
}

}  // namespace

void MetricsText::Begin(std::string_view name, std::string_view help, std::string_view type) {
  family_ = name;
  CatTo(out_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

void MetricsText::Line(std::string_view suffix,
                       MetricLabels labels,
                       std::string_view le,
                       std::string_view value) {
  CatTo(out_, family_, suffix);
  bool first = true;
  for (const auto& [name, text] : labels) AppendLabel(out_, first, name, ToValidUtf8(text));
  if (!le.empty()) AppendLabel(out_, first, "le", le);
  CatTo(out_, first ? " " : "} ", value, "\n");
}

void MetricsText::Sample(MetricLabels labels, uint64_t value) {
  Line("", labels, "", std::to_string(value));
}

void MetricsText::SampleSeconds(MetricLabels labels, Duration value) {
  Line("", labels, "", SecondsText(static_cast<uint64_t>(std::max<int64_t>(0, value.count()))));
}

// "0.005": no rounding, no exponent, no zeros at the end.
std::string MetricsText::SecondsText(uint64_t micros) {
  std::string out = std::to_string(micros / kMicrosPerSecond);
  std::string fraction = std::to_string(kMicrosPerSecond + micros % kMicrosPerSecond).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) CatTo(out, ".", fraction);
  return out;
}

void MetricsText::Buckets(MetricLabels labels,
                          std::span<const int64_t> bounds,
                          std::span<const uint64_t> counts,
                          uint64_t sum,
                          std::string (*text)(uint64_t)) {
  uint64_t below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    below += counts[i];
    Line("_bucket", labels, text(static_cast<uint64_t>(bounds[i])), std::to_string(below));
  }
  const std::string all = std::to_string(below + counts.back());
  Line("_bucket", labels, "+Inf", all);
  Line("_sum", labels, "", text(sum));
  Line("_count", labels, "", all);
}

}  // namespace troth
