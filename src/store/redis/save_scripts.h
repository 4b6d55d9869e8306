#pragma once
// The Lua scripts that save, for scripts.cc: one transaction with one call, and many with one.

#include <string_view>

namespace troth::redis {

// What a save gives them is the same whether it goes alone or with others (save_arguments.h):
//   of a creation: gid, global, shape, score unless it is finished, branch...
//   of a change: gid, global, shape, score unless it is finished, changed branch as it is now...,
//     new branch...
// The shape is what many saves have in common, so that it is read once for all of them:
//   of a creation: status, count of branches
//   of a change: status, expected status, where the expected owner begins and ends in the record,
//     counted from its end, expected count of branches, count of new branches, positions of changed
//     branches with commas between (-: none), the owner as JSON member (nothing: there is none)
// with a space between.
//
// Rules for all of them:
//  - The first write is one that Redis refuses when it is out of memory, so that nothing is half
//    done. Later writes of a script are never refused.
//  - A save that is asked for again, because its answer was lost, finds its own record and answers
//    OK.
//  - `"owner":"x"` can be searched in JSON text as it is: inside of a JSON string the quotes would
//    be escaped.
//  - Numbers are passed on as texts: Redis writes and reads a Lua number slowly.

// Defines shapes[text]: what the shape of a change says.
inline constexpr std::string_view kShapes = R"lua(
local shapes = setmetatable({}, {__index = function(shapes, text)
  local shape, rows = {rows = {}}
  shape.status, shape.expected, shape.from, shape.to, shape.count, shape.added, rows, shape.owner =
      string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%d+) (%d+) (%S+) (.*)$')
  for row in string.gmatch(rows, '%d+') do shape.rows[#shape.rows + 1] = row end
  shape.count, shape.added = tonumber(shape.count), tonumber(shape.added)
  shape.waits = shape.status ~= 'succeed' and shape.status ~= 'failed'
  -- How many arguments the change has, and how many of them before branches.
  shape.head = shape.waits and 4 or 3
  shape.size = shape.head + #shape.rows + shape.added
  shapes[text] = shape
  return shape
end})
)lua";

// KEYS: global, branches, unfinished, status, state.
// ARGV: seconds finished data is kept (0: for ever), 1 when it is asked for again,
//       seconds troth_state is kept, troth_state (""), then those of a creation.
// Returns OK, or CONFLICT when the gid exists. A status or branches without a record are what is
// left of one that has expired.
inline constexpr std::string_view kCreate = R"lua(
local keep, again, keep_state, state = unpack(ARGV, 1, 4)
local gid, global, shape = unpack(ARGV, 5, 7)
local status, branches = string.match(shape, '^(%S+) (%d+)$')
local score = status ~= 'succeed' and status ~= 'failed' and ARGV[8]
local first = score and 9 or 8
if redis.call('MSETNX', KEYS[1], global, KEYS[4], status) == 0 then
  local known = redis.call('GET', KEYS[1])
  if known then
    return again == '1' and known == global and 'OK' or 'CONFLICT'
  end
  redis.call('SET', KEYS[1], global)
  redis.call('SET', KEYS[4], status)
end
local rows = 0
branches = tonumber(branches)
for i = first, #ARGV, 1000 do
  rows = redis.pcall('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
  if type(rows) ~= 'number' then  -- the key is no list
    redis.call('DEL', KEYS[1], KEYS[4])
    return rows
  end
end
if branches == 0 then
  redis.call('DEL', KEYS[2])
elseif rows > branches then
  redis.call('LTRIM', KEYS[2], -branches, -1)
  redis.call('PERSIST', KEYS[2])
end
if state ~= '' then redis.call('SET', KEYS[5], state, 'EX', keep_state) end
if score then
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
local gid, new_global, shape = ARGV[5], ARGV[6], shapes[ARGV[7]]
local known = redis.call('MGET', KEYS[1], KEYS[4])
local global, status = known[1], known[2]
if not global then return 'CONFLICT' end
if again == '1' and global == new_global then return 'OK' end
if status and status ~= shape.expected then return 'CONFLICT' end
if not string.find(global, '"status":"' .. shape.expected .. '"', 1, true) then
  return 'CONFLICT'
end
if shape.owner == '' then
  if string.find(global, '"owner":"', 1, true) then return 'CONFLICT' end
elseif not string.find(global, shape.owner, 1, true) then
  return 'CONFLICT'
end
local all = shape.count == #shape.rows and redis.call('LRANGE', KEYS[2], '0', '-1')
if (all and #all or redis.call('LLEN', KEYS[2])) ~= shape.count then return 'CONFLICT' end
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
local rows, appended = {}, 5 + shape.head + #shape.rows
for i, position in ipairs(shape.rows) do
  local given = ARGV[4 + shape.head + i]
  local row = all and all[position + 1] or redis.call('LINDEX', KEYS[2], position)
  local from, to = string.find(row, '"status":"prepared"', 1, true)
  if not from then return 'CONFLICT' end
  local new_time, new_status = changes_of(given)
  local time, rest = update_time(row)
  if rest and rest < from then
    rows[i] = string.sub(row, 1, time) .. new_time .. string.sub(row, rest, from - 1) ..
              new_status .. string.sub(row, to + 1)
  else
    rows[i] = string.sub(row, 1, from - 1) .. new_status .. string.sub(row, to + 1)
  end
end
local expires = not shape.waits and keep ~= '0'
if expires then
  redis.call('SET', KEYS[1], new_global, 'EX', keep)
  redis.call('SET', KEYS[4], shape.status, 'EX', keep)
else
  redis.call('SET', KEYS[1], new_global)
  redis.call('SET', KEYS[4], shape.status)
end
for i, position in ipairs(shape.rows) do redis.call('LSET', KEYS[2], position, rows[i]) end
for i = appended, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
if state ~= '' then redis.call('SET', KEYS[5], state, 'EX', keep_state) end
if shape.waits then
  redis.call('ZADD', KEYS[3], ARGV[8], gid)
  redis.call('PERSIST', KEYS[2])
else
  redis.call('ZREM', KEYS[3], gid)
  if expires then redis.call('EXPIRE', KEYS[2], keep) end
end
return 'OK'
)lua";

// The two for many transactions at once are what nearly all saves take: a call of a script, and of
// each command in it, costs Redis more than what a save does with one of them. They apply what
// needs no second look, and return the numbers, from 1, of the saves that they left alone, for
// whatever reason: the caller sends those to the two above, and all of a call that ended with an
// error. So that an error leaves nothing half done, what could fail is read before the first write,
// or taken back.

// KEYS: unfinished, branches of each, status of each, global of each.
// ARGV: those of a creation for each.
// Creates transactions that are not finished; none when one of them exists.
inline constexpr std::string_view kCreateMany = R"lua(
local call, pcall = redis.call, redis.pcall
local sizes = setmetatable({}, {__index = function(sizes, shape)
  local status, branches = string.match(shape, '^(%S+) (%d+)$')
  sizes[shape] = {status, tonumber(branches)}
  return sizes[shape]
end})
local count = (#KEYS - 1) / 3
call('ZCARD', KEYS[1])
local values, begins, at = {}, {}, 1
for i = 1, count do
  local shape = sizes[ARGV[at + 2]]
  values[4 * i - 3], values[4 * i - 2] = KEYS[2 * count + 1 + i], ARGV[at + 1]
  values[4 * i - 1], values[4 * i] = KEYS[count + 1 + i], shape[1]
  begins[i] = at
  at = at + 4 + shape[2]
end
begins[count + 1] = at
local created = call('MSETNX', unpack(values)) == 1
-- Branches without a record are what is left of one that has expired. False: the key is no list,
-- nothing is done.
local function put_right(i, pushed, branches)
  if type(pushed) == 'number' then
    call('LTRIM', KEYS[1 + i], -branches, -1)
    call('PERSIST', KEYS[1 + i])
    return true
  end
  call('DEL', KEYS[count + 1 + i], KEYS[2 * count + 1 + i])
  return false
end
local left, scores = {}, {}
for i = 1, count do
  local first, branches = begins[i] + 4, begins[i + 1] - begins[i] - 4
  local pushed = branches
  if created and branches > 0 then
    pushed = pcall('RPUSH', KEYS[1 + i], unpack(ARGV, first, first + branches - 1))
  end
  if created and (pushed == branches or put_right(i, pushed, branches)) then
    scores[#scores + 1] = ARGV[first - 1]
    scores[#scores + 1] = ARGV[first - 4]
  else
    left[#left + 1] = i
  end
end
if #scores > 0 then call('ZADD', KEYS[1], unpack(scores)) end
return left
)lua";

// KEYS: unfinished, branches of each, status of each, global of each.
// ARGV: seconds finished data is kept (0: for ever), then those of a change for each; the owner and
//       its place are known.
// Lua in Redis hashes every byte of every text that it is given or makes: so it reads the owner
// instead of all of a record, and no rows at all. dtm leaves the owner in a record that it changes,
// so the status is compared as well. It changes rows without the record, but gives their list a
// time to live whenever it does, and ours has none. That it is a list, as long as it was, tells
// beforehand that no write to it will fail.
inline constexpr std::string_view kChangeMany = R"lua(
local call = redis.call
local count, keep = (#KEYS - 1) / 3, ARGV[1]
call('ZCARD', KEYS[1])
local statuses = call('MGET', unpack(KEYS, count + 2, 2 * count + 1))
local left, begins, at = {}, {}, 2
for i = 1, count do
  local shape = shapes[ARGV[at + 2]]
  if statuses[i] == shape.expected and
     call('GETRANGE', KEYS[2 * count + 1 + i], shape.from, shape.to) == shape.owner and
     call('LLEN', KEYS[1 + i]) == shape.count and
     call('TTL', KEYS[1 + i]) == (shape.count > 0 and -1 or -2) then
    begins[i] = at
  else
    left[#left + 1] = i
  end
  at = at + shape.size
end
local finished, waiting = {}, {}
for i, at in pairs(begins) do
  local branches, status, global = KEYS[1 + i], KEYS[count + 1 + i], KEYS[2 * count + 1 + i]
  local shape = shapes[ARGV[at + 2]]
  local expires = not shape.waits and keep ~= '0'
  if expires then
    call('SET', global, ARGV[at + 1], 'EX', keep)
    call('SET', status, shape.status, 'EX', keep)
  else
    call('SET', global, ARGV[at + 1])
    call('SET', status, shape.status)
  end
  local rows, first = shape.rows, at + shape.head
  for i = 1, #rows do call('LSET', branches, rows[i], ARGV[first + i - 1]) end
  if shape.added > 0 then
    call('RPUSH', branches, unpack(ARGV, first + #rows, at + shape.size - 1))
  end
  if shape.waits then
    waiting[#waiting + 1] = ARGV[at + 3]
    waiting[#waiting + 1] = ARGV[at]
  else
    finished[#finished + 1] = ARGV[at]
    if expires then call('EXPIRE', branches, keep) end
  end
end
if #finished > 0 then call('ZREM', KEYS[1], unpack(finished)) end
if #waiting > 0 then call('ZADD', KEYS[1], unpack(waiting)) end
return left
)lua";

}  // namespace troth::redis
