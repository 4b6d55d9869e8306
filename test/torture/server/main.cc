// troth with a disk and a clock that fail on request. Everything else is the server that people
// run.

#include <cstdlib>
#include <string>

#include "base/text.h"
#include "failing_disk.h"
#include "faults.h"
#include "server/program.h"

namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: before any thread
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

int main(int argc, char** argv) {
  troth::Faults faults;
  const troth::ControlFile control(Variable("TROTH_TORTURE_CONTROL"), faults);
  troth::DeathPoints points(
      static_cast<uint64_t>(troth::ParseInt(Variable("TROTH_TORTURE_DIE_AT")).value_or(0)));
  const auto disk = troth::MakeFailingDisk(faults, points);
  const troth::WrongClock clock(faults);
  return troth::RunProgram(argc, argv, {.disk = disk.get(), .clock = &clock});
}
