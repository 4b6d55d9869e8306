#pragma once
// The Lua scripts that save, for scripts.cc: one transaction with one call, and many with one.

#include <string_view>

namespace troth::redis {

// Rules for all of them:
//  - The first write is a SET: when Redis is out of memory it refuses that, and nothing is half
//    done. Later writes of a script are never refused.
//  - A save that is asked for again, because its answer was lost, finds its own record and answers
//    OK.
//  - `"owner":"x"` can be searched in JSON text as it is: inside of a JSON string the quotes would
//    be escaped.

// KEYS: global, branches, unfinished, status, state.
// ARGV: gid, status, score ("": it is finished), seconds finished data is kept (0: for ever),
//       1 when it is asked for again, global, troth_state (""), seconds troth_state is kept,
//       branch...
// Returns OK, or CONFLICT when the gid exists. A status or branches without a record are what is
// left of one that has expired.
inline constexpr std::string_view kCreate = R"lua(
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
//       count of changed branches, for each: position, update_time as JSON, new status as JSON
//       member(s); then branches to append.
// Returns OK or CONFLICT. dtm drops no owner, but changes the status and appends branches beside
// us: both are compared as well. It lets the status key expire while it only touches a record; the
// record tells then.
inline constexpr std::string_view kChange = R"lua(
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
    rows[ARGV[i]] = string.sub(row, 1, time) .. ARGV[i + 1] .. string.sub(row, rest, from - 1) ..
                    ARGV[i + 2] .. string.sub(row, to + 1)
  else
    rows[ARGV[i]] = string.sub(row, 1, from - 1) .. ARGV[i + 2] .. string.sub(row, to + 1)
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

// The two for many transactions at once are what nearly all saves take: a call of a script, and of
// each command in it, costs Redis more than what a save does with one of them. They apply only what
// needs no second look; what they leave out, for whatever reason, the caller sends to the two
// above. So that an error leaves nothing half done, all that could fail is read before the first
// write.

// KEYS: unfinished, branches of each, global and status of each in turns.
// ARGV: score and gid of each in turns, global and status of each in turns, then for each: count of
//       its branches, branch...
// Creates transactions that are not finished. Returns OK, or nil: at least one needs a second look,
// none is created.
inline constexpr std::string_view kCreateMany = R"lua(
local count = (#KEYS - 1) / 3
redis.call('ZCARD', KEYS[1])
if redis.call('EXISTS', unpack(KEYS, 2, count + 1)) > 0 then return false end
local values = {}
for i = 1, 2 * count do
  values[2 * i - 1] = KEYS[count + 1 + i]
  values[2 * i] = ARGV[2 * count + i]
end
if redis.call('MSETNX', unpack(values)) == 0 then return false end
local at = 4 * count + 1
for i = 1, count do
  local branches = ARGV[at]
  if branches ~= '0' then
    redis.call('RPUSH', KEYS[1 + i], unpack(ARGV, at + 1, at + branches))
  end
  at = at + 1 + branches
end
redis.call('ZADD', KEYS[1], unpack(ARGV, 1, 2 * count))
return 'OK'
)lua";

// KEYS: unfinished, branches of each, status of each, global of each.
// ARGV: seconds finished data is kept (0: for ever), then for each: gid, score ("": it is
//       finished), status, expected status, expected end of the record (from its owner on), global,
//       expected count of branches, count of changed branches, for each: position, update_time as
//       JSON, new status as JSON member(s).
// Returns the numbers, from 1, of those that it left alone. The end of a record instead of all of
// it, and of a row's status only that it is where dtm and we write it: Lua in Redis hashes every
// byte of every text that it is given or makes.
inline constexpr std::string_view kChangeMany = R"lua(
local count, keep = (#KEYS - 1) / 3, ARGV[1]
redis.call('ZCARD', KEYS[1])
local known = redis.call('MGET', unpack(KEYS, count + 2, 2 * count + 1))
local prepared = '"status":"prepared"}'
local function changed_rows(key, at)
  local rows, all = {}, ARGV[at] == ARGV[at + 1] and redis.call('LRANGE', key, 0, -1)
  if (all and #all or redis.call('LLEN', key)) ~= tonumber(ARGV[at]) then return nil end
  for i = at + 2, at + 1 + 3 * ARGV[at + 1], 3 do
    local row = all and all[ARGV[i] + 1] or redis.call('LINDEX', key, ARGV[i])
    local _, time = string.find(row, ',"update_time":', 1, true)
    local rest = time and string.find(row, ',', time, true)
    if not rest or string.sub(row, -#prepared) ~= prepared then return nil end
    rows[ARGV[i]] = string.sub(row, 1, time) .. ARGV[i + 1] ..
                    string.sub(row, rest, -#prepared - 1) .. ARGV[i + 2] .. '}'
  end
  return rows
end
local plans, left, at = {}, {}, 2
for i = 1, count do
  local ending, rows = ARGV[at + 4], nil
  if known[i] == ARGV[at + 3] and
     redis.call('GETRANGE', KEYS[2 * count + 1 + i], -#ending, -1) == ending then
    rows = changed_rows(KEYS[1 + i], at + 6)
  end
  if rows then plans[#plans + 1] = {i, at, rows} else left[#left + 1] = i end
  at = at + 8 + 3 * ARGV[at + 7]
end
local finished, waiting = {}, {}
for _, plan in ipairs(plans) do
  local i, at, rows = plan[1], plan[2], plan[3]
  local branches, status, global = KEYS[1 + i], KEYS[count + 1 + i], KEYS[2 * count + 1 + i]
  local expires = ARGV[at + 1] == '' and keep ~= '0'
  if expires then
    redis.call('SET', global, ARGV[at + 5], 'EX', keep)
    redis.call('SET', status, ARGV[at + 2], 'EX', keep)
  else
    redis.call('SET', global, ARGV[at + 5])
    redis.call('SET', status, ARGV[at + 2])
  end
  for position, row in pairs(rows) do redis.call('LSET', branches, position, row) end
  if expires then
    redis.call('EXPIRE', branches, keep)
  else
    redis.call('PERSIST', branches)
  end
  if ARGV[at + 1] == '' then
    finished[#finished + 1] = ARGV[at]
  else
    waiting[#waiting + 1] = ARGV[at + 1]
    waiting[#waiting + 1] = ARGV[at]
  end
end
if #finished > 0 then redis.call('ZREM', KEYS[1], unpack(finished)) end
if #waiting > 0 then redis.call('ZADD', KEYS[1], unpack(waiting)) end
return left
)lua";

}  // namespace troth::redis
