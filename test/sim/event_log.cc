#include "event_log.h"

namespace troth::sim {

void EventLog::Append(const std::string& line) {
  const int64_t micros = (scheduler_.now() - start_).count();
  std::string fraction = Cat(micros % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  text_ += Cat(micros / 1'000'000, ".", fraction, " ", line, "\n");
}

}  // namespace troth::sim
