// troth: the server's program. Flags, configuration, then Server until a signal.

#include <cstdio>
#include <span>
#include <string>

#include "base/log.h"
#include "config/config.h"
#include "server/command_line.h"
#include "server/discover.h"
#include "server/server.h"
#include "server/store_command.h"
#include "server/version.h"

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;

void Print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

// The indented text as one line: a log line has no line breaks.
std::string OneLine(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

int FailStart(const troth::Status& status) {
  troth::FlushLog();
  Print(stderr, "troth cannot start: ");
  Print(stderr, troth::Message(status));
  Print(stderr, "\n");
  return kExitFailure;
}

troth::StatusOr<troth::Config> LoadAndConfigureLog(const troth::CommandLine& line) {
  TROTH_ASSIGN_OR_RETURN(troth::Config config,
                         troth::LoadConfig(line.config_file, troth::ProcessEnvironment()));
  if (line.debug) config.log.level = troth::LogLevel::kDebug;
  TROTH_RETURN_IF_ERROR(troth::ConfigureLog(config.log));
  return config;
}

int Run(const troth::CommandLine& line) {
  if (line.store && !troth::UsesConfiguredStore(*line.store)) {
    return troth::RunStoreCommand(*line.store, {});
  }
  troth::StatusOr<troth::Config> config = LoadAndConfigureLog(line);
  if (!config.ok()) {
    const troth::ConfigFailure failure = troth::TellConfigFailure(config.status());
    Print(stderr, failure.text);
    return failure.exit_code;
  }
  if (line.store) return troth::RunStoreCommand(*line.store, config->store);
  if (line.discover) return troth::RunDiscover(config->micro_service, *line.discover);
  troth::LogInfo("troth starts", {{"version", troth::kVersion}});
  troth::LogInfo("configuration", {{"effective", OneLine(troth::DescribeConfig(*config))}});
  for (const std::string& warning : config->warnings) troth::LogWarn(warning);
  auto server = troth::Server::Start(*std::move(config), line.reset);
  if (!server.ok()) return FailStart(server.status());
  (*server)->Run();
  troth::LogInfo("troth has stopped");
  troth::FlushLog();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, static_cast<size_t>(argc) - 1);
  const troth::StatusOr<troth::CommandLine> line = troth::ParseCommandLine(arguments);
  if (!line.ok()) {
    Print(stderr, troth::Message(line.status()));
    Print(stderr, "\n" + troth::Usage(argv[0]));
    return kExitUsage;
  }
  if (line->help) {
    Print(stderr, troth::Usage(argv[0]));
    return 0;
  }
  if (line->version) {
    Print(stdout, std::string("dtm version: ") + troth::kVersion + "\n");
    return 0;
  }
  return Run(*line);
}
