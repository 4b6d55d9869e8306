#include "server/program.h"

#include <sys/resource.h>

#include <cstdio>
#include <span>
#include <string>

#include "base/log.h"
#include "config/config.h"
#include "server/command_line.h"
#include "server/discover.h"
#include "server/store_command.h"
#include "server/version.h"

namespace troth {
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

int FailStart(const Status& status) {
  FlushLog();
  Print(stderr, "troth cannot start: ");
  Print(stderr, Message(status));
  Print(stderr, "\n");
  return kExitFailure;
}

StatusOr<Config> LoadAndConfigureLog(const CommandLine& line) {
  TROTH_ASSIGN_OR_RETURN(Config config, LoadConfig(line.config_file, ProcessEnvironment()));
  if (line.debug) config.log.level = LogLevel::kDebug;
  TROTH_RETURN_IF_ERROR(ConfigureLog(config.log));
  return config;
}

// The usual limit of 1024 is for programs that use select(2), which we do not; each connection
// takes one.
void RaiseLimitOfOpenFiles() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);  // if not, there are as many as before
}

int Run(const CommandLine& line, const ServerHooks& hooks) {
  if (line.store && !UsesConfiguredStore(*line.store)) {
    return RunStoreCommand(*line.store, {});
  }
  StatusOr<Config> config = LoadAndConfigureLog(line);
  if (!config.ok()) {
    const ConfigFailure failure = TellConfigFailure(config.status());
    Print(stderr, failure.text);
    return failure.exit_code;
  }
  if (line.store) return RunStoreCommand(*line.store, config->store);
  if (line.discover) return RunDiscover(config->micro_service, *line.discover);
  LogInfo("troth starts", {{"version", kVersion}});
  LogInfo("configuration", {{"effective", OneLine(DescribeConfig(*config))}});
  for (const std::string& warning : config->warnings) LogWarn(warning);
  RaiseLimitOfOpenFiles();
  auto server = Server::Start(*std::move(config), line.reset, hooks);
  if (!server.ok()) return FailStart(server.status());
  (*server)->Run();
  LogInfo("troth has stopped");
  FlushLog();
  return 0;
}

}  // namespace

int RunProgram(int argc, char** argv, const ServerHooks& hooks) {
  const std::span<const char* const> arguments(argv + 1, static_cast<size_t>(argc) - 1);
  const StatusOr<CommandLine> line = ParseCommandLine(arguments);
  if (!line.ok()) {
    Print(stderr, Message(line.status()));
    Print(stderr, "\n" + Usage(argv[0]));
    return kExitUsage;
  }
  if (line->help) {
    Print(stderr, Usage(argv[0]));
    return 0;
  }
  if (line->version) {
    Print(stdout, std::string("dtm version: ") + kVersion + "\n");
    return 0;
  }
  return Run(*line, hooks);
}

}  // namespace troth
