#include "store/redis/reply.h"

#include <hiredis/hiredis.h>

#include "base/text.h"

namespace troth::redis {
namespace {

struct Meaning {
  std::string_view prefix;
  ErrorKind kind;
  StatusCode code;
  std::string_view advice;
};

constexpr std::string_view kRightsAdvice =
    "let the account of Store.User do this; docs/stores.md lists what it needs";

constexpr Meaning kMeanings[] = {
    {"NOSCRIPT", ErrorKind::kNoScript, StatusCode::kUnavailable, ""},
    {"MOVED ", ErrorKind::kMoved, StatusCode::kUnavailable, "list the cluster in Store.Host"},
    {"ASK ",
     ErrorKind::kLater,
     StatusCode::kUnavailable,
     "our slot is being moved to another node"},
    {"READONLY",
     ErrorKind::kNotMaster,
     StatusCode::kUnavailable,
     "Store.Host is a replica: name the master, or its Sentinels"},
    {"MASTERDOWN", ErrorKind::kNotMaster, StatusCode::kUnavailable, ""},
    {"LOADING", ErrorKind::kLater, StatusCode::kUnavailable, ""},
    {"TRYAGAIN", ErrorKind::kLater, StatusCode::kUnavailable, ""},
    {"CLUSTERDOWN",
     ErrorKind::kLater,
     StatusCode::kUnavailable,
     "look at `redis-cli cluster info`"},
    {"BUSY", ErrorKind::kLater, StatusCode::kUnavailable, ""},
    {"OOM",
     ErrorKind::kFinal,
     StatusCode::kResourceExhausted,
     "raise Redis's maxmemory; unfinished transactions stay and go on then"},
    {"MISCONF",
     ErrorKind::kFinal,
     StatusCode::kUnavailable,
     "Redis cannot write to its disk; see its log"},
    {"NOREPLICAS",
     ErrorKind::kFinal,
     StatusCode::kUnavailable,
     "Redis wants more replicas than it has (min-replicas-to-write)"},
    {"WRONGTYPE",
     ErrorKind::kFinal,
     StatusCode::kDataLoss,
     "a key does not hold what dtm keeps there: restore it or remove it"},
    {"NOAUTH", ErrorKind::kFinal, StatusCode::kFailedPrecondition, "set Store.Password"},
    {"WRONGPASS",
     ErrorKind::kFinal,
     StatusCode::kFailedPrecondition,
     "check Store.User and Store.Password"},
    {"ERR AUTH",  // for a password although none is asked for, and so on
     ErrorKind::kFinal,
     StatusCode::kFailedPrecondition,
     "check Store.User and Store.Password; both are empty for a Redis without a password"},
    {"ERR invalid password",  // before Redis 6
     ErrorKind::kFinal,
     StatusCode::kFailedPrecondition,
     "check Store.Password"},
    {"NOPERM", ErrorKind::kFinal, StatusCode::kFailedPrecondition, kRightsAdvice},
    {"ERR ACL failure", ErrorKind::kFinal, StatusCode::kFailedPrecondition, kRightsAdvice},
    {"ERR The user executing the script",  // Redis 7.0
     ErrorKind::kFinal,
     StatusCode::kFailedPrecondition,
     kRightsAdvice},
};

const Meaning* MeaningOf(std::string_view error) {
  for (const Meaning& meaning : kMeanings) {
    if (error.substr(0, meaning.prefix.size()) == meaning.prefix) return &meaning;
    // Before Redis 7 a script passed the errors of its commands on with words before them.
    constexpr std::string_view kScript = "ERR Error running script";
    if (error.substr(0, kScript.size()) == kScript &&
        error.find(Cat(": -", meaning.prefix)) != std::string_view::npos) {
      return &meaning;
    }
  }
  return nullptr;
}

}  // namespace

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

std::string_view Text(const redisReply* reply) {
  if (reply == nullptr) return {};
  switch (reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR: return {reply->str, static_cast<size_t>(reply->len)};
    default: return {};
  }
}

int64_t Integer(const redisReply* reply) {
  if (reply == nullptr) return 0;
  if (reply->type == REDIS_REPLY_INTEGER) return reply->integer;
  return ParseInt(Text(reply)).value_or(0);
}

bool IsNil(const redisReply* reply) { return reply == nullptr || reply->type == REDIS_REPLY_NIL; }

bool IsError(const redisReply* reply) {
  return reply != nullptr && reply->type == REDIS_REPLY_ERROR;
}

std::span<redisReply* const> Elements(const redisReply* reply) {
  if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY) return {};
  return {reply->element, reply->elements};
}

const redisReply* Element(const redisReply* reply, size_t index) {
  const auto elements = Elements(reply);
  return index < elements.size() ? elements[index] : nullptr;
}

ErrorKind KindOf(std::string_view error) {
  const Meaning* meaning = MeaningOf(error);
  return meaning == nullptr ? ErrorKind::kFinal : meaning->kind;
}

Status Explain(std::string_view error) {
  const Meaning* meaning = MeaningOf(error);
  if (meaning == nullptr) return Unavailable(Cat("Redis answered: ", error));
  const std::string_view advice = meaning->advice;
  return MakeStatus(meaning->code,
                    Cat("Redis answered: ", error, advice.empty() ? "" : "; ", advice));
}

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {}

ReplyReader::~ReplyReader() { redisReaderFree(reader_); }

Status ReplyReader::Feed(std::string_view bytes, std::vector<ReplyPtr>& replies) {
  if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) {
    return Unavailable(Cat("Redis: ", reader_->errstr));
  }
  while (true) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
      return Unavailable(Cat("this is not Redis: ", reader_->errstr, "; check Store.Port"));
    }
    if (reply == nullptr) return OkStatus();
    replies.emplace_back(static_cast<redisReply*>(reply));
  }
}

}  // namespace troth::redis
