#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "store/redis/redis_impl.h"

namespace troth {
namespace {

// The value of `name` in the text of INFO; empty when it is not there.
std::string_view InfoField(std::string_view info, std::string_view name) {
  const std::string begin = Cat("\r\n", name, ":");
  const size_t at = info.find(begin);
  if (at == info.npos) return {};
  info.remove_prefix(at + begin.size());
  return info.substr(0, info.find('\r'));
}

bool HasHashTag(std::string_view prefix) {
  const size_t open = prefix.find('{'), close = prefix.find('}', open);
  return open != prefix.npos && close != prefix.npos && close > open + 1;
}

Status CheckEviction(std::string_view info) {
  const std::string_view policy = InfoField(info, "maxmemory_policy");
  const std::string_view limit = InfoField(info, "maxmemory");
  if (policy.empty() || policy == "noeviction") return OkStatus();
  const std::string advice = Cat("Redis removes keys when its memory is full (maxmemory-policy ",
                                 policy,
                                 "): transactions would vanish; set maxmemory-policy noeviction");
  const bool any_key = policy.starts_with("allkeys");
  if (any_key && limit != "0") return FailedPrecondition(advice);
  LogWarn(advice, {{"maxmemory", limit}});
  return OkStatus();
}

// What an acknowledgement is worth: as much as Redis writes to its disk before it answers.
void WarnAboutDurability(std::string_view info, std::string_view fsync) {
  if (InfoField(info, "aof_enabled") == "0") {
    LogWarn(
        "Redis has no append-only file: what was acknowledged is lost when it ends; set "
        "appendonly yes and appendfsync always");
  } else if (!fsync.empty() && fsync != "always") {
    LogWarn(
        "Redis writes to its disk after it has answered: what was acknowledged in the last "
        "second or so is lost with the machine; set appendfsync always to lose nothing",
        {{"appendfsync", fsync}});
  }
}

}  // namespace

StatusOr<std::vector<redis::Endpoint>> ParseRedisServers(std::string_view host, uint16_t port) {
  if (host.find(',') == host.npos) return std::vector{redis::Endpoint{std::string(host), port}};
  std::vector<redis::Endpoint> servers;
  for (const std::string_view part : Split(host, ',')) {
    TROTH_ASSIGN_OR_RETURN(redis::Endpoint server, redis::ParseEndpoint(TrimSpace(part)));
    servers.push_back(std::move(server));
  }
  return servers;
}

StatusOr<RedisStore::Parts> RedisStore::MakeParts(const RedisOptions& options) {
  Parts parts;
  if (options.tls) {
    TROTH_ASSIGN_OR_RETURN(parts.tls, redis::TlsClient::Make(*options.tls));
  }
  redis::Login login{.user = options.user, .password = options.password, .tls = parts.tls.get()};
  redis::Login sentinel{.password = options.sentinel_password, .tls = parts.tls.get()};
  auto finder = options.sentinel_master.empty()
                    ? redis::FindAmong(options.servers)
                    : redis::FindBySentinel(options.sentinel_master, options.servers, sentinel);
  parts.scripts = std::make_unique<redis::Scripts>();
  parts.client = std::make_unique<redis::Client>(std::move(finder),
                                                 std::move(login),
                                                 Cat(options.prefix, "_u"),
                                                 parts.scripts->Texts(),
                                                 redis::ClientOptions{
                                                     .patience = options.patience,
                                                     .replicas = options.wait_replicas,
                                                     .replicas_timeout = options.wait_timeout,
                                                     .probe = Cat(options.prefix, "_probe"),
                                                 });
  return parts;
}

RedisStore::RedisStore(RedisOptions options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      token_([] {
        Random random = Random::FromDevice();
        return NewGid(random);
      }()),
      next_due_(INT64_MIN) {}

std::string RedisStore::Key(std::string_view part, std::string_view name) const {
  return part == "u" || part == "probe" ? Cat(options_.prefix, "_", part)
                                        : Cat(options_.prefix, "_", part, "_", name);
}

std::vector<std::string> RedisStore::KeysOf(std::string_view gid) const {
  std::vector<std::string> keys;
  keys.reserve(5);
  for (const char* part : {"g", "b"}) keys.push_back(Key(part, gid));
  keys.push_back(Key("u", ""));
  for (const char* part : {"s", "t"}) keys.push_back(Key(part, gid));
  return keys;
}

std::string RedisStore::PatternOf(std::string_view begin) {
  std::string pattern;
  for (const char c : begin) {
    if (std::string_view("*?[]\\^").find(c) != std::string_view::npos) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern + "*";
}

void RedisStore::AddScript(redis::Batch& batch,
                           const redis::Script& script,
                           std::span<const std::string> keys,
                           std::span<const std::string> arguments) const {
  const std::string count = Cat(keys.size());
  std::vector<std::string_view> words;
  words.reserve(3 + keys.size() + arguments.size());
  words.assign({"EVALSHA", script.sha(), count});
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  batch.Add(words);
}

Status RedisStore::CheckServer() {
  TROTH_ASSIGN_OR_RETURN(const redis::ReplyPtr info,
                         parts_.client->Run({"INFO"}, redis::Repeat::kYes));
  const std::string_view text = redis::Text(info.get());
  TROTH_RETURN_IF_ERROR(CheckEviction(text));
  if (InfoField(text, "cluster_enabled") == "1" && !HasHashTag(options_.prefix)) {
    return FailedPrecondition(Cat("Store.RedisPrefix ",
                                  options_.prefix,
                                  " has no hash tag, so its keys lie on several nodes of the "
                                  "cluster; put a part of it in braces: {",
                                  options_.prefix,
                                  "}"));
  }
  TROTH_RETURN_IF_ERROR(CheckRights());
  // Not every account may read the configuration.
  const auto config = parts_.client->Run({"CONFIG", "GET", "appendfsync"}, redis::Repeat::kYes);
  WarnAboutDurability(
      text, config.ok() ? redis::Text(redis::Element(config->get(), 1)) : std::string_view());
  return OkStatus();
}

Status RedisStore::CheckRights() {
  redis::Batch batch;
  AddScript(batch, parts_.scripts->try_all, std::vector{Key("probe", "")}, {});
  batch.Add({"SCAN", "0", "COUNT", "1"});
  if (options_.wait_replicas > 0) batch.Add({"WAIT", "0", "1"});
  for (const redis::Answer& answer : parts_.client->Run(batch, redis::Repeat::kYes)) {
    if (answer.status.code() == StatusCode::kFailedPrecondition) return answer.status;
  }
  return OkStatus();
}

Status RedisStore::RemoveAll() {
  std::string position;
  do {
    TROTH_ASSIGN_OR_RETURN(const KeyPage page,
                           ScanKeys(PatternOf(Cat(options_.prefix, "_")), position, SIZE_MAX));
    redis::Batch batch;
    for (const std::string& key : page.keys) batch.Add({"DEL", key});
    for (const redis::Answer& answer : parts_.client->Run(batch, redis::Repeat::kYes)) {
      TROTH_RETURN_IF_ERROR(answer.status);
    }
    position = page.next;
  } while (!position.empty());
  return OkStatus();
}

StatusOr<std::unique_ptr<Store>> OpenRedisStore(RedisOptions options) {
  TROTH_ASSIGN_OR_RETURN(RedisStore::Parts parts, RedisStore::MakeParts(options));
  auto store = std::make_unique<RedisStore>(std::move(options), std::move(parts));
  TROTH_RETURN_IF_ERROR(store->CheckServer());
  return store;
}

Status ResetRedisStore(RedisOptions options) {
  TROTH_ASSIGN_OR_RETURN(RedisStore::Parts parts, RedisStore::MakeParts(options));
  return RedisStore(std::move(options), std::move(parts)).RemoveAll();
}

}  // namespace troth
