#include "store/redis/scripts.h"

#include <openssl/sha.h>

#include "base/text.h"
#include "store/redis/save_scripts.h"

namespace troth::redis {
namespace {

// KEYS: global, branches, unfinished, status, state. ARGV: gid.
// Returns nil, or {global, branches, score or nil, troth_state or nil}.
constexpr std::string_view kLoad = R"lua(
local global = redis.call('GET', KEYS[1])
if not global then return false end
return {global, redis.call('LRANGE', KEYS[2], 0, -1), redis.call('ZSCORE', KEYS[3], ARGV[1]),
        redis.call('GET', KEYS[5])}
)lua";

// KEYS: unfinished. ARGV: prefix, due until (score), score of the leases, how many at the most,
//       bytes of records at the most, end of the leases as a time, token of the claim.
// Returns {1 when there may be more, count of unfinished, lowest score or nil,
//          {gid, {global, branches, nil, troth_state or nil}}...}.
// The record says who has it until when (dtm/owner.h), so that whoever has a copy of it neither
// works on it nor saves it. What dtm lets expire stays here once it is claimed; members whose
// record is gone or finished are removed. A key of another type than dtm's does not keep the others
// from being claimed: {gid, {}} is handed out, and comes again when the lease is over.
constexpr std::string_view kClaim = R"lua(
local function lease(global)
  local member = '"next_cron_time":"'
  local _, time = string.find(global, member, 1, true)
  local rest = time and string.find(global, '"', time + 1, true)
  if not rest then return global end
  local version, after = string.match(global, '^,"owner":"[^"@]*@?([^"@]*)[^"]*"(.*)$', rest + 1)
  return string.sub(global, 1, time) .. ARGV[6] .. '","owner":"' .. ARGV[7] .. '@' ..
         (version or '') .. '@w"' .. (after or string.sub(global, rest + 1))
end
local claimed, bytes, looked = {}, 0, 0
local function claim(gid)
  local global_key, status_key = ARGV[1] .. '_g_' .. gid, ARGV[1] .. '_s_' .. gid
  local branches_key = ARGV[1] .. '_b_' .. gid
  local global, status = redis.call('GET', global_key), redis.call('GET', status_key)
  if not global or status == 'succeed' or status == 'failed' then
    redis.call('ZREM', KEYS[1], gid)
  else
    global = lease(global)
    redis.call('SET', global_key, global)
    redis.call('ZADD', KEYS[1], ARGV[3], gid)
    redis.call('PERSIST', status_key)
    redis.call('PERSIST', branches_key)
    local branches = redis.call('LRANGE', branches_key, 0, -1)
    bytes = bytes + #global
    for _, branch in ipairs(branches) do bytes = bytes + #branch end
    local state = redis.call('GET', ARGV[1] .. '_t_' .. gid)
    claimed[#claimed + 1] = {gid, {global, branches, false, state}}
  end
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[4])
for _, gid in ipairs(due) do
  if bytes > tonumber(ARGV[5]) then break end
  looked = looked + 1
  if not pcall(claim, gid) then
    redis.call('ZADD', KEYS[1], ARGV[3], gid)
    claimed[#claimed + 1] = {gid, {}}
  end
end
local more = looked < #due or #due == tonumber(ARGV[4])
local lowest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {more and 1 or 0, redis.call('ZCARD', KEYS[1]), lowest[2] or false, unpack(claimed)}
)lua";

// KEYS: unfinished. ARGV: prefix, first rank, last rank.
// dtm gives unfinished records a time to live: takes it away from those of these ranks, and removes
// members whose record is gone. Lists of branches keep it until a day is left, since that they have
// one tells the scripts that save that dtm has been there. Returns how many members there were.
constexpr std::string_view kKeep = R"lua(
local gids = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3])
for _, gid in ipairs(gids) do
  if redis.call('EXISTS', ARGV[1] .. '_g_' .. gid) == 0 then
    redis.call('ZREM', KEYS[1], gid)
  else
    for _, part in ipairs({'_g_', '_s_'}) do redis.call('PERSIST', ARGV[1] .. part .. gid) end
    local branches = ARGV[1] .. '_b_' .. gid
    if redis.call('TTL', branches) < 86400 then redis.call('PERSIST', branches) end
  end
end
return #gids
)lua";

// KEYS: unfinished. ARGV: due later than (score), new score, how many at the most.
// Returns {how many were moved, 1 when there are more}.
constexpr std::string_view kReset = R"lua(
local limit = tonumber(ARGV[3])
local later = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', 0, limit + 1)
for i = 1, math.min(limit, #later) do redis.call('ZADD', KEYS[1], ARGV[2], later[i]) end
return {math.min(limit, #later), #later > limit and 1 or 0}
)lua";

// KEYS: global, branches, unfinished, status, state.
// Removes a finished record. Returns 1 when it did.
constexpr std::string_view kPurge = R"lua(
local status = redis.call('GET', KEYS[4])
if status ~= 'succeed' and status ~= 'failed' then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2], KEYS[4], KEYS[5]) > 0 and 1 or 0
)lua";

// KEYS: one that nobody uses. Runs each command that the others run; leaves nothing. An error tells
// of an account that may not.
constexpr std::string_view kTryAll = R"lua(
local key = KEYS[1]
redis.call('DEL', key)
redis.call('MSETNX', key, '1')
redis.call('SET', key, '1')
redis.call('GET', key)
redis.call('MGET', key)
redis.call('GETRANGE', key, 0, -1)
redis.call('EXPIRE', key, 1)
redis.call('PERSIST', key)
redis.call('EXISTS', key)
redis.call('DEL', key)
redis.call('RPUSH', key, '1')
redis.call('LSET', key, 0, '2')
redis.call('LINDEX', key, 0)
redis.call('LLEN', key)
redis.call('TTL', key)
redis.call('LRANGE', key, 0, -1)
redis.call('LTRIM', key, 0, 0)
redis.call('DEL', key)
redis.call('ZADD', key, 1, 'a')
redis.call('ZSCORE', key, 'a')
redis.call('ZCARD', key)
redis.call('ZRANGE', key, 0, 0)
redis.call('ZRANGEBYSCORE', key, 0, 1)
redis.call('ZREM', key, 'a')
return 'OK'
)lua";

// KEYS: value. ARGV: expected version, new JSON. Returns 1 when it was stored.
constexpr std::string_view kUpdateKv = R"lua(
local old = redis.call('GET', KEYS[1])
if not old or tostring(cjson.decode(old)['version']) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
)lua";

std::string Sha1Hex(std::string_view text) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace

Script::Script(std::string_view text) : text_(text), sha_(Sha1Hex(text)) {}

Scripts::Scripts()
    : create(kCreate),
      create_many(kCreateMany),
      change(Cat(kShapes, kChange)),
      change_many(Cat(kShapes, kChangeMany)),
      load(kLoad),
      claim(kClaim),
      keep(kKeep),
      reset(kReset),
      purge(kPurge),
      try_all(kTryAll),
      update_kv(kUpdateKv) {}

std::vector<std::string> Scripts::Texts() const {
  std::vector<std::string> texts;
  for (const Script* script : {&create,
                               &create_many,
                               &change,
                               &change_many,
                               &load,
                               &claim,
                               &keep,
                               &reset,
                               &purge,
                               &try_all,
                               &update_kv}) {
    texts.push_back(script->text());
  }
  return texts;
}

}  // namespace troth::redis
