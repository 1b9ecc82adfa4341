#include "gateway/limiter/scripts.h"

#include "policies/retry.h"

namespace gateway::limiter {

namespace {

// The head of each of them.
// They run also when Redis is out of memory: what they keep is little and ends by itself, and without permits nothing
// would be sent. (Without the flag Redis lets some of them through and others not, by what they write first.)
constexpr char kNow[] = R"lua(#!lua flags=allow-oom
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local function text(n) return string.format('%.0f', n) end
)lua";

static_assert(policies::kLongestPause == policies::Duration(3'600'000'000));  // below, since Lua cannot see it

constexpr char kStep[] = R"lua(
if redis.call('HGET', KEYS[4], 'nonce') ~= ARGV[1] then return {0} end
local replica, limit, interval, hold = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local remaining, pause, daily = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local daily_remaining, daily_reset, comparable = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11] == '1'
local ended, unsent, asks = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local urgent, spacing, credit, tolerance = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])
local daily_background = tonumber(ARGV[19])
local function id(i) return replica .. ':' .. ARGV[19 + i] end

-- Those that are free: a thousand at a time, since a window can be of a hundred thousand.
local expired = redis.call('ZCOUNT', KEYS[1], '-inf', text(now))
if expired > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, math.min(expired, 1000 + 2 * asks) - 1) end
local state = redis.call('HMGET', KEYS[3], 'paused', 'used', 'day_ends', 'background', 'unexplained')
local background = tonumber(state[4] or 0)
local paused, used, day_ends = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
local unexplained = tonumber(state[5] or 0)
-- Another build, or Redis' clock when it was wrong, may have left moments that are too far away.
paused, day_ends = math.min(paused, now + 3600000000), math.min(day_ends, now + 86400000000)
background = math.min(background, now + interval)
if day_ends <= now then
  if day_ends > 0 then redis.call('DEL', KEYS[3]) end  -- and with it which replicas' counts were added
  used, day_ends, unexplained = 0, 0, 0
end

for i = 1, ended do redis.call('ZADD', KEYS[1], text(now + interval), id(i)) end
for i = ended + 1, ended + unsent do
  if redis.call('ZREM', KEYS[1], id(i)) == 1 and used > 0 then used = used - 1 end
end
local groups, counted = {}, 0
local function count(free, slots)
  groups[#groups + 1] = {free, slots}
  counted = counted + slots
end
local fields = redis.call('HGETALL', KEYS[2])
for i = 1, #fields, 2 do
  local slots, free = string.match(fields[i + 1], '^(%d+) (%d+)$')
  if tonumber(free) > now then count(tonumber(free), tonumber(slots)) else redis.call('HDEL', KEYS[2], fields[i]) end
end
local taken = counted + redis.call('ZCOUNT', KEYS[1], '(' .. text(now), '+inf')
local lacks = remaining >= 0 and limit - taken - remaining or 0
if lacks > 0 then
  -- In groups of a hundredth of the interval, so that there are never many.
  local grain = math.max(1, math.floor(interval / 100))
  local free = math.ceil((now + interval) / grain) * grain
  local field = 'stated:' .. text(free)
  local before = tonumber(string.match(redis.call('HGET', KEYS[2], field) or '0', '^%d+'))
  redis.call('HSET', KEYS[2], field, text(before + lacks) .. ' ' .. text(free))
  count(free, lacks)
  taken = taken + lacks
end
if pause > 0 then paused = math.max(paused, now + pause) end

if daily_reset >= 0 then day_ends = now + math.min(daily_reset, 86400000000) end
if daily_remaining >= 0 and daily > 0 then
  local believed = daily - math.min(daily, daily_remaining)
  if believed > used then
    unexplained = unexplained + believed - used
    used = believed
  elseif comparable and used > believed + taken then
    used = believed + taken
    unexplained = 0
  end
end

-- How many background requests leave enough for urgent ones (policies::BackgroundPace::kept), and what each of its
-- moments asks for.
local function free_by(moment)
  local free = limit - taken + redis.call('ZCOUNT', KEYS[1], '(' .. text(now), text(moment))
  for _, group in ipairs(groups) do if group[1] <= moment then free = free + group[2] end end
  return free
end
local function background_room()
  local room, kept = limit - taken, {}
  if tolerance < 0 or room <= 0 then return room, kept end
  local supply = free_by(now + interval)
  for _, sixteenths in ipairs({0, 1, 2, 4, 8}) do
    local after = math.floor(interval * sixteenths / 16) + tolerance
    local slots = 1 + math.ceil(math.max(0, supply) * sixteenths / 32)
    kept[#kept + 1] = {after, slots}
    room = math.min(room, free_by(now + after) - slots)
  end
  return room, kept
end

local granted, room = 0, nil
if paused <= now then
  while granted < asks and taken < limit and (daily == 0 or used < daily) do
    if granted >= urgent then
      room = room or background_room()
      if room <= 0 or background > now or (daily > 0 and used >= daily_background) then break end
      room = room - 1
      background = math.max(background, now - credit) + spacing
    end
    granted = granted + 1
    redis.call('ZADD', KEYS[1], text(now + hold + interval), id(ended + unsent + granted))
    taken = taken + 1
    used = used + 1
  end
end
local left, kept = background_room()
if left <= 0 and granted < asks then background = math.max(background, now - 2 * spacing) end
if used > 0 and day_ends <= now then day_ends = now + 86400000000 end
redis.call('HSET', KEYS[3], 'paused', text(paused), 'used', text(used), 'day_ends', text(day_ends),
  'background', text(background), 'unexplained', text(unexplained))
redis.call('PEXPIRE', KEYS[3], text(math.ceil(math.max(day_ends - now, paused - now, 0) / 1000) + 60000))
redis.call('PEXPIRE', KEYS[1], text(math.ceil((hold + interval) / 1000) + 60000))
redis.call('PEXPIRE', KEYS[2], text(math.ceil((hold + interval) / 1000) + 60000))

-- When the taken slot of that rank, from 0, is free at the earliest. A request under way can end now, so no slot of one
-- is free before another interval.
table.sort(groups, function(a, b) return a[1] < b[1] end)
expired = redis.call('ZCOUNT', KEYS[1], '-inf', text(now))
local function free_at(rank)
  if rank < 0 then return 0 end
  local before = 0
  for _, group in ipairs(groups) do
    local earlier = before + redis.call('ZCOUNT', KEYS[1], '(' .. text(now), text(group[1]))
    if earlier > rank then break end
    if earlier + group[2] > rank then return math.min(group[1] - now, interval) end
    before = before + group[2]
  end
  local slot = redis.call('ZRANGE', KEYS[1], expired + rank - before, expired + rank - before, 'WITHSCORES')
  if not slot[2] then return 0 end
  return math.max(0, math.min(tonumber(slot[2]) - now, interval))
end
local next_free = 0
if taken >= limit then next_free = free_at(taken - limit) end
local next_background = math.max(0, background - now)
if left <= 0 then next_background = math.max(next_background, free_at(taken - limit)) end
for _, each in ipairs(kept) do
  if left <= 0 then next_background = math.max(next_background, free_at(each[2] - limit + taken) - each[1]) end
end
return {granted, taken, next_free, free_at(taken - 1), math.max(0, paused - now), used, math.max(0, day_ends - now),
  next_background,
  redis.call('ZCOUNT', KEYS[5], '(' .. text(now), '+inf')}
)lua";

constexpr char kTakeBack[] = R"lua(
if redis.call('HGET', KEYS[4], 'nonce') ~= ARGV[1] then return 0 end
local replica, keep, lasts, reserved = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if reserved > 0 and tonumber(redis.call('HGET', KEYS[4], 'opens')) <= now then return 2 end
for i = 10, #ARGV - 1, 2 do
  redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[i + 1])), replica .. ':' .. ARGV[i])
end
if reserved > 0 then redis.call('HSET', KEYS[2], 'reserved:' .. replica, text(reserved) .. ' ' .. text(now + lasts))
elseif reserved == 0 then redis.call('HDEL', KEYS[2], 'reserved:' .. replica) end
redis.call('PEXPIRE', KEYS[1], text(math.ceil(keep / 1000) + 60000))
redis.call('PEXPIRE', KEYS[2], text(math.ceil(keep / 1000) + 60000))
-- The day: what was counted alone is added to a count that survived, once, even when the reply is lost and it is told
-- again; less what the upstream's own count has already shown to be missing. A count that did not survive is taken from
-- memory.
local known, alone, reset, report = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local state = redis.call('HMGET', KEYS[3], 'used', 'unexplained', 'report:' .. replica)
if state[1] and alone ~= 0 and state[3] ~= report then
  local explained = math.max(0, math.min(alone, tonumber(state[2] or 0)))
  redis.call('HSET', KEYS[3], 'used', text(math.max(0, tonumber(state[1]) + alone - explained)),
    'unexplained', text(tonumber(state[2] or 0) - explained), 'report:' .. replica, report)
elseif not state[1] and known > 0 then
  redis.call('HSET', KEYS[3], 'used', text(known), 'day_ends', text(now + reset), 'report:' .. replica, report)
  redis.call('PEXPIRE', KEYS[3], text(math.ceil(reset / 1000) + 60000))
end
return 1
)lua";

constexpr char kJoin[] = R"lua(
local fresh, run_id, before, replica = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lease, quarantine = tonumber(ARGV[5]), tonumber(ARGV[6])
local alone, known, ready = ARGV[7] == '1', tonumber(ARGV[8]), ARGV[9] == '1'
local epoch = redis.call('HMGET', KEYS[1], 'nonce', 'run_id', 'began', 'opens')
local nonce, began, opens = epoch[1], tonumber(epoch[3] or 0), tonumber(epoch[4] or 0)
local quarantined
if not nonce then quarantined = before ~= ''
elseif epoch[2] ~= run_id then quarantined = true
elseif before == nonce and alone then
  -- In a quarantine that still runs it need only write its reservations again, and those who wait for the end are not
  -- kept waiting for another whole one.
  if opens <= now then quarantined = true
  else
    if redis.call('HDEL', KEYS[1], 'ready:' .. replica) == 1 then redis.call('HINCRBY', KEYS[1], 'ready', -1) end
    opens = math.max(opens, math.min(now + math.ceil(quarantine / 3), began + 2 * quarantine))
    redis.call('HSET', KEYS[1], 'opens', text(opens))
  end
-- A newcomer began it in an empty Redis, where those who lived before have slots too.
elseif before ~= nonce and before ~= '' and opens == began and now < began + quarantine then quarantined = true end
if quarantined ~= nil then
  nonce = fresh
  opens = quarantined and now + quarantine or now
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'nonce', nonce, 'run_id', run_id, 'began', text(now), 'opens', text(opens))
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now))
redis.call('ZADD', KEYS[2], text(now + lease), replica)
if opens > now then
  -- It opens as soon as everybody that anyone knew of has its reservations here.
  local expected = math.max(known, tonumber(redis.call('HGET', KEYS[1], 'expected') or 1))
  redis.call('HSET', KEYS[1], 'expected', expected)
  -- A newcomer (it knew of nobody) is none of those.
  if ready and (known > 0 or expected == 1) and redis.call('HSETNX', KEYS[1], 'ready:' .. replica, 1) == 1 and
      redis.call('HINCRBY', KEYS[1], 'ready', 1) >= expected then
    opens = now
    redis.call('HSET', KEYS[1], 'opens', text(now))
  end
end
return {nonce, math.max(0, opens - now), redis.call('ZCARD', KEYS[2])}
)lua";

std::shared_ptr<const redis::Script> script(const char* name, const char* source) {
  return std::make_shared<const redis::Script>(redis::Script{name, std::string(kNow) + source});
}

}  // namespace

const Scripts& scripts() {
  static const Scripts all{script("limit_step", kStep), script("limit_take_back", kTakeBack),
                           script("limit_join", kJoin)};
  return all;
}

}  // namespace gateway::limiter
