#pragma once
// The Lua scripts that save, for scripts.cc: one transaction with one call, and many with one.

#include <string_view>

namespace troth::redis {

// What a save gives them is the same whether it goes alone or with others (save_arguments.h):
//   of a creation: score ("": it is finished), gid, status, global, count of branches, branch...
//   of a change: gid, score ("": it is finished), status, expected status, global,
//     expected owner as JSON member ("": none), where it begins and ends in the record as it is
//     expected, counted from the record's end ("": unknown), expected count of branches,
//     count of changed branches, for each: position, branch as it is now, how long the row is that
//     we wrote of it while it was prepared; count of new branches, branch...
//
// Rules for all of them:
//  - The first write is a SET: when Redis is out of memory it refuses that, and nothing is half
//    done. Later writes of a script are never refused.
//  - A save that is asked for again, because its answer was lost, finds its own record and answers
//    OK.
//  - `"owner":"x"` can be searched in JSON text as it is: inside of a JSON string the quotes would
//    be escaped.
//  - Numbers are passed on as texts: Redis writes and reads a Lua number slowly.

// KEYS: global, branches, unfinished, status, state.
// ARGV: seconds finished data is kept (0: for ever), 1 when it is asked for again,
//       seconds troth_state is kept, troth_state (""), then those of a creation.
// Returns OK, or CONFLICT when the gid exists. A status or branches without a record are what is
// left of one that has expired.
inline constexpr std::string_view kCreate = R"lua(
local keep, again, keep_state, state = unpack(ARGV, 1, 4)
local score, gid, status, global = unpack(ARGV, 5, 8)
if redis.call('MSETNX', KEYS[1], global, KEYS[4], status) == 0 then
  local known = redis.call('GET', KEYS[1])
  if known then
    return again == '1' and known == global and 'OK' or 'CONFLICT'
  end
  redis.call('SET', KEYS[1], global)
  redis.call('SET', KEYS[4], status)
end
local branches, rows = #ARGV - 9, 0
for i = 10, #ARGV, 1000 do
  rows = redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if branches == 0 then
  redis.call('DEL', KEYS[2])
elseif rows > branches then
  redis.call('LTRIM', KEYS[2], -branches, -1)
  redis.call('PERSIST', KEYS[2])
end
if state ~= '' then redis.call('SET', KEYS[5], state, 'EX', keep_state) end
if score ~= '' then
  redis.call('ZADD', KEYS[3], score, gid)
elseif keep ~= '0' then
  for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4]}) do redis.call('EXPIRE', key, keep) end
end
return 'OK'
)lua";

// KEYS: global, branches, unfinished, status, state.
// ARGV: seconds finished data is kept (0: for ever), 1 when it is asked for again,
//       seconds troth_state is kept, troth_state (""), then those of a change.
// Returns OK or CONFLICT. dtm drops no owner, but changes the status and appends branches beside
// us: both are compared as well. It lets the status key expire while it only touches a record; the
// record tells then. Of a row only what changes is written: the rest may be another server's.
inline constexpr std::string_view kChange = R"lua(
local keep, again, keep_state, state = unpack(ARGV, 1, 4)
local gid, score, new_status, expected_status, new_global, owner = unpack(ARGV, 5, 10)
local known = redis.call('MGET', KEYS[1], KEYS[4])
local global, status = known[1], known[2]
if not global then return 'CONFLICT' end
if again == '1' and global == new_global then return 'OK' end
if status and status ~= expected_status then return 'CONFLICT' end
if not string.find(global, '"status":"' .. expected_status .. '"', 1, true) then
  return 'CONFLICT'
end
if owner == '' then
  if string.find(global, '"owner":"', 1, true) then return 'CONFLICT' end
elseif not string.find(global, owner, 1, true) then
  return 'CONFLICT'
end
local all = ARGV[13] == ARGV[14] and redis.call('LRANGE', KEYS[2], '0', '-1')
if (all and #all or redis.call('LLEN', KEYS[2])) ~= tonumber(ARGV[13]) then return 'CONFLICT' end
-- Where update_time is in a row: after the first position, before the second.
local function update_time(row)
  local _, time = string.find(row, ',"update_time":', 1, true)
  return time, time and string.find(row, ',', time, true)
end
-- What a row of ours says that changes: update_time, and the status with finish_time behind it.
local function changes_of(row)
  local time, rest = update_time(row)
  local status = string.find(row, '"status":"', 1, true)
  return string.sub(row, time + 1, rest - 1), string.sub(row, status, -2)
end
local rows = {}
local appended = 16 + 3 * tonumber(ARGV[14])
for i = 15, appended - 2, 3 do
  local row = all and all[ARGV[i] + 1] or redis.call('LINDEX', KEYS[2], ARGV[i])
  local from, to = string.find(row, '"status":"prepared"', 1, true)
  if not from then return 'CONFLICT' end
  local new_time, new_status = changes_of(ARGV[i + 1])
  local time, rest = update_time(row)
  if rest and rest < from then
    rows[ARGV[i]] = string.sub(row, 1, time) .. new_time .. string.sub(row, rest, from - 1) ..
                    new_status .. string.sub(row, to + 1)
  else
    rows[ARGV[i]] = string.sub(row, 1, from - 1) .. new_status .. string.sub(row, to + 1)
  end
end
local expires = score == '' and keep ~= '0'
if expires then
  redis.call('SET', KEYS[1], new_global, 'EX', keep)
  redis.call('SET', KEYS[4], new_status, 'EX', keep)
else
  redis.call('SET', KEYS[1], new_global)
  redis.call('SET', KEYS[4], new_status)
end
for position, row in pairs(rows) do redis.call('LSET', KEYS[2], position, row) end
for i = appended, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if state ~= '' then redis.call('SET', KEYS[5], state, 'EX', keep_state) end
if score ~= '' then
  redis.call('ZADD', KEYS[3], score, gid)
  redis.call('PERSIST', KEYS[2])
else
  redis.call('ZREM', KEYS[3], gid)
  if expires then redis.call('EXPIRE', KEYS[2], keep) end
end
return 'OK'
)lua";

// The two for many transactions at once are what nearly all saves take: a call of a script, and of
// each command in it, costs Redis more than what a save does with one of them. They apply only what
// needs no second look; what they leave out, for whatever reason, the caller sends to the two
// above. So that an error leaves nothing half done, all that could fail is read before the first
// write.

// KEYS: unfinished, branches of each, status of each, global of each.
// ARGV: those of a creation for each.
// Creates transactions that are not finished. Returns OK, or nil: at least one needs a second look,
// none is created.
inline constexpr std::string_view kCreateMany = R"lua(
local call = redis.call
local count = (#KEYS - 1) / 3
call('ZCARD', KEYS[1])
if call('EXISTS', unpack(KEYS, 2, count + 1)) > 0 then return false end
local values, scores, sizes, at = {}, {}, {}, 1
for i = 1, count do
  values[4 * i - 3], values[4 * i - 2] = KEYS[2 * count + 1 + i], ARGV[at + 3]
  values[4 * i - 1], values[4 * i] = KEYS[count + 1 + i], ARGV[at + 2]
  scores[2 * i - 1], scores[2 * i] = ARGV[at], ARGV[at + 1]
  sizes[i] = tonumber(ARGV[at + 4])
  at = at + 5 + sizes[i]
end
if call('MSETNX', unpack(values)) == 0 then return false end
at = 1
for i = 1, count do
  if sizes[i] > 0 then call('RPUSH', KEYS[1 + i], unpack(ARGV, at + 5, at + 4 + sizes[i])) end
  at = at + 5 + sizes[i]
end
call('ZADD', KEYS[1], unpack(scores))
return 'OK'
)lua";

// KEYS: unfinished, branches of each, status of each, global of each.
// ARGV: seconds finished data is kept (0: for ever), then those of a change for each; the owner and
//       its place are known.
// Returns the numbers, from 1, of those that it left alone. Lua in Redis hashes every byte of every
// text that it is given or makes: so it reads the owner instead of all of a record, and takes rows
// as they are given instead of making them. That the row to be replaced is as long as the one we
// wrote, and prepared, is how it knows that it is that one.
inline constexpr std::string_view kChangeMany = R"lua(
local call, find = redis.call, string.find
local number = setmetatable({}, {__index = function(known, text)
  known[text] = tonumber(text)
  return known[text]
end})
local count, keep = (#KEYS - 1) / 3, ARGV[1]
call('ZCARD', KEYS[1])
local statuses = call('MGET', unpack(KEYS, count + 2, 2 * count + 1))
local prepared = '"status":"prepared"}'
local function rows_are_ours(key, at, expected, changed)
  local all = changed == expected and call('LRANGE', key, '0', '-1')
  if (all and #all or call('LLEN', key)) ~= expected then return false end
  for i = at, at - 1 + 3 * changed, 3 do
    local row = all and all[number[ARGV[i]] + 1] or call('LINDEX', key, ARGV[i])
    if #row ~= number[ARGV[i + 2]] or not find(row, prepared, -#prepared, true) then
      return false
    end
  end
  return true
end
local left, begins, at = {}, {}, 2
for i = 1, count do
  local changed = number[ARGV[at + 9]]
  if statuses[i] == ARGV[at + 3] and
     call('GETRANGE', KEYS[2 * count + 1 + i], ARGV[at + 6], ARGV[at + 7]) == ARGV[at + 5] and
     rows_are_ours(KEYS[1 + i], at + 10, number[ARGV[at + 8]], changed) then
    begins[i] = at
  else
    left[#left + 1] = i
  end
  at = at + 10 + 3 * changed
  at = at + 1 + number[ARGV[at]]
end
local finished, waiting = {}, {}
for i, at in pairs(begins) do
  local branches, status, global = KEYS[1 + i], KEYS[count + 1 + i], KEYS[2 * count + 1 + i]
  local gid, score = ARGV[at], ARGV[at + 1]
  local expires = score == '' and keep ~= '0'
  if expires then
    call('SET', global, ARGV[at + 4], 'EX', keep)
    call('SET', status, ARGV[at + 2], 'EX', keep)
  else
    call('SET', global, ARGV[at + 4])
    call('SET', status, ARGV[at + 2])
  end
  local added = at + 10 + 3 * number[ARGV[at + 9]]
  for row = at + 10, added - 1, 3 do call('LSET', branches, ARGV[row], ARGV[row + 1]) end
  if ARGV[added] ~= '0' then
    call('RPUSH', branches, unpack(ARGV, added + 1, added + ARGV[added]))
  end
  if expires then call('EXPIRE', branches, keep) else call('PERSIST', branches) end
  if score == '' then
    finished[#finished + 1] = gid
  else
    waiting[#waiting + 1] = score
    waiting[#waiting + 1] = gid
  end
end
if #finished > 0 then call('ZREM', KEYS[1], unpack(finished)) end
if #waiting > 0 then call('ZADD', KEYS[1], unpack(waiting)) end
return left
)lua";

}  // namespace troth::redis
