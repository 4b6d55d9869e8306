#include "store/redis/scripts.h"

#include <openssl/sha.h>

namespace troth::redis {
namespace {

// Rules for all of them:
//  - The first write is a SET: when Redis is out of memory it refuses that, and nothing is half
//    done. Later writes of a script are never refused.
//  - A save that is asked for again, because its answer was lost, finds its own record and answers
//    OK.
//  - `"owner":"x"` can be searched in JSON text as it is: inside of a JSON string the quotes would
//    be escaped.

// Each command that a script calls costs Redis more than a microsecond, besides what it does: these
// two are called once for each transaction and make do with few.

// KEYS: global, branches, unfinished, status, state.
// ARGV: gid, status, score ("": it is finished), seconds finished data is kept (0: for ever),
//       1 when it is asked for again, global, troth_state (""), seconds troth_state is kept,
//       branch...
// Returns OK, or CONFLICT when the gid exists. A status or branches without a record are what is
// left of one that has expired.
constexpr std::string_view kCreate = R"lua(
if redis.call('MSETNX', KEYS[1], ARGV[6], KEYS[4], ARGV[2]) == 0 then
  local known = redis.call('GET', KEYS[1])
  if known then
    return ARGV[5] == '1' and known == ARGV[6] and 'OK' or 'CONFLICT'
  end
  redis.call('SET', KEYS[1], ARGV[6])
  redis.call('SET', KEYS[4], ARGV[2])
end
local branches, rows = #ARGV - 8, 0
for i = 9, #ARGV, 1000 do
  rows = redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if branches == 0 then
  redis.call('DEL', KEYS[2])
elseif rows > branches then
  redis.call('LTRIM', KEYS[2], -branches, -1)
  redis.call('PERSIST', KEYS[2])
end
if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7], 'EX', ARGV[8]) end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
elseif ARGV[4] ~= '0' then
  for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, ARGV[4]) end
end
return 'OK'
)lua";

// KEYS: global, branches, unfinished, status, state.
// ARGV: gid, status, score ("": it is finished), seconds finished data is kept (0: for ever),
//       1 when it is asked for again, global, troth_state (""), seconds troth_state is kept,
//       expected status, expected owner as JSON member ("": none), expected count of branches,
//       count of changed branches, for each: position, new status as JSON member(s), update_time as
//       JSON; then branches to append.
// Returns OK or CONFLICT. dtm drops no owner, but changes the status and appends branches beside
// us: both are compared as well. It lets the status key expire while it only touches a record; the
// record tells then.
constexpr std::string_view kChange = R"lua(
local known = redis.call('MGET', KEYS[1], KEYS[4])
local global, status = known[1], known[2]
if not global then return 'CONFLICT' end
if ARGV[5] == '1' and global == ARGV[6] then return 'OK' end
if status and status ~= ARGV[9] then return 'CONFLICT' end
if not string.find(global, '"status":"' .. ARGV[9] .. '"', 1, true) then return 'CONFLICT' end
local owner = ARGV[10]
if owner == '' then
  if string.find(global, '"owner":"', 1, true) then return 'CONFLICT' end
elseif not string.find(global, owner, 1, true) then
  return 'CONFLICT'
end
local all = ARGV[11] == ARGV[12] and redis.call('LRANGE', KEYS[2], 0, -1)
if (all and #all or redis.call('LLEN', KEYS[2])) ~= tonumber(ARGV[11]) then return 'CONFLICT' end
local rows = {}
local appended = 13 + 3 * tonumber(ARGV[12])
for i = 13, appended - 1, 3 do
  local row = all and all[ARGV[i] + 1] or redis.call('LINDEX', KEYS[2], ARGV[i])
  local from, to = string.find(row, '"status":"prepared"', 1, true)
  if not from then return 'CONFLICT' end
  local _, time = string.find(row, ',"update_time":', 1, true)
  local rest = time and string.find(row, ',', time, true)
  if rest and rest < from then
    rows[ARGV[i]] = string.sub(row, 1, time) .. ARGV[i + 2] .. string.sub(row, rest, from - 1) ..
                    ARGV[i + 1] .. string.sub(row, to + 1)
  else
    rows[ARGV[i]] = string.sub(row, 1, from - 1) .. ARGV[i + 1] .. string.sub(row, to + 1)
  end
end
local expires = ARGV[3] == '' and ARGV[4] ~= '0'
if expires then
  redis.call('SET', KEYS[1], ARGV[6], 'EX', ARGV[4])
  redis.call('SET', KEYS[4], ARGV[2], 'EX', ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[6])
  redis.call('SET', KEYS[4], ARGV[2])
end
for position, row in pairs(rows) do redis.call('LSET', KEYS[2], position, row) end
for i = appended, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7], 'EX', ARGV[8]) end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
  redis.call('PERSIST', KEYS[2])
else
  redis.call('ZREM', KEYS[3], ARGV[1])
  if expires then redis.call('EXPIRE', KEYS[2], ARGV[4]) end
end
return 'OK'
)lua";

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
// members whose record is gone. Returns how many members there were.
constexpr std::string_view kKeep = R"lua(
local gids = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3])
for _, gid in ipairs(gids) do
  if redis.call('EXISTS', ARGV[1] .. '_g_' .. gid) == 0 then
    redis.call('ZREM', KEYS[1], gid)
  else
    for _, part in ipairs({'_g_', '_b_', '_s_'}) do
      redis.call('PERSIST', ARGV[1] .. part .. gid)
    end
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
redis.call('EXPIRE', key, 1)
redis.call('PERSIST', key)
redis.call('EXISTS', key)
redis.call('DEL', key)
redis.call('RPUSH', key, '1')
redis.call('LSET', key, 0, '2')
redis.call('LINDEX', key, 0)
redis.call('LLEN', key)
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
      change(kChange),
      load(kLoad),
      claim(kClaim),
      keep(kKeep),
      reset(kReset),
      purge(kPurge),
      try_all(kTryAll),
      update_kv(kUpdateKv) {}

std::vector<std::string> Scripts::Texts() const {
  std::vector<std::string> texts;
  for (const Script* script :
       {&create, &change, &load, &claim, &keep, &reset, &purge, &try_all, &update_kv}) {
    texts.push_back(script->text());
  }
  return texts;
}

}  // namespace troth::redis
