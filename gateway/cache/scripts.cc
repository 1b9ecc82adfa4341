#include "gateway/cache/scripts.h"

namespace gateway::cache::scripts {

namespace {
// What each script begins with, as far as it needs it. `now` in milliseconds by Redis' clock, and the epoch: a new one
// where there is none, where the server is another one than it was made on, or where every lease ran out without being
// given back. The last: Redis stood still for all of them, so any replica may have let a write through unfenced
// meanwhile, after waiting for just that (Writes::finish). A new epoch is believed for one lease time, until the first
// report.
constexpr const char* kEpoch = R"(#!lua flags=allow-oom
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function new_epoch()
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'run', ARGV[1], 'since', now, 'end', 0, 'until', now + 3000)
  return ARGV[2], now, 0
end
local function current_epoch()
  local e = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'since', 'end', 'until')
  if e[1] and e[2] == ARGV[1] and e[3] and e[4] and (not e[5] or tonumber(e[5]) > now) then
    return e[1], tonumber(e[3]), tonumber(e[4])
  end
  return new_epoch()
end
)";

constexpr const char* kReplicas = R"(
local function live_replicas()
  local live = {}
  local fields = redis.call('HGETALL', KEYS[1])
  for f = 1, #fields, 2 do
    if string.sub(fields[f], 1, 2) == 'r:' then
      local lease = tonumber(string.match(fields[f + 1], '^%d+'))
      if lease > now then live[#live + 1] = string.sub(fields[f], 3)
      elseif lease + 60000 < now then redis.call('HDEL', KEYS[1], fields[f]) end
    end
  end
  return live
end
)";

ScriptPtr with_prelude(const char* name, const char* body) {
  return std::make_shared<const redis::Script>(redis::Script{name, std::string(kEpoch) + kReplicas + body});
}
}  // namespace

ScriptPtr look_up() {
  static const ScriptPtr script =
      std::make_shared<const redis::Script>(redis::Script{"look_up", std::string(kEpoch) + R"(
local epoch = current_epoch()
local out = {epoch, now, 0, false}
local stamp = {epoch}
local marks = {}
for i = 5, #KEYS do
  local fields = redis.call('HGETALL', KEYS[i])
  local generation = false
  for f = 1, #fields, 2 do
    if fields[f] == 'g' then generation = fields[f + 1]
    elseif tonumber(fields[f + 1]) <= now then redis.call('HDEL', KEYS[i], fields[f])
    else marks[#marks + 1] = string.sub(fields[f], 3) end
  end
  if not generation then
    generation = ARGV[4] .. string.format('%03d', i)
    redis.call('HSET', KEYS[i], 'g', generation)
    if #fields == 0 then redis.call('PEXPIRE', KEYS[i], 86400000) end
  end
  out[#out + 1] = generation
  stamp[#stamp + 1] = generation
end
for i = 1, #marks do out[#out + 1] = marks[i] end
if #marks > 0 then out[3] = 1 return out end
local kept = redis.call('HMGET', KEYS[3], 's', 'd')
if kept[1] and kept[1] == table.concat(stamp, ' ') then
  out[4] = kept[2]
  out[3] = 1
elseif ARGV[3] == '' or redis.call('SET', KEYS[4], ARGV[3], 'NX', 'PX', 1500) then out[3] = 1
elseif redis.call('GETRANGE', KEYS[4], -1, -1) ~= '+' then redis.call('APPEND', KEYS[4], '+') end
return out
)"});
  return script;
}

ScriptPtr finish() {
  // Not allow-oom: a full Redis refuses the entry; the flight has landed by then.
  static const ScriptPtr script = std::make_shared<const redis::Script>(redis::Script{"finish", R"(
local flight = redis.call('GET', KEYS[2])
if flight == ARGV[1] or flight == ARGV[1] .. '+' then redis.call('DEL', KEYS[2]) end
if flight ~= ARGV[1] then redis.call('PUBLISH', 'cg:done', ARGV[5]) end
if ARGV[2] == '' then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2], 'd', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
)"});
  return script;
}

ScriptPtr begin() {
  static const ScriptPtr script = with_prelude("begin", R"(
local epoch, since, last = current_epoch()
for i = 3, #KEYS do
  redis.call('HSET', KEYS[i], 'g', ARGV[i + 4], 'm:' .. ARGV[3], now + tonumber(ARGV[4]))
  redis.call('PEXPIRE', KEYS[i], ARGV[5])
end
local position = last + 1
redis.call('HSET', KEYS[1], 'end', position)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, string.format('%.0f-0', position), 'at', now, 'keys', ARGV[6])
redis.call('PUBLISH', 'cg:log', epoch .. ' ' .. string.format('%.0f', position) .. ' ' .. ARGV[6])
return {epoch, position, now - since, unpack(live_replicas())}
)");
  return script;
}

ScriptPtr end() {
  static const ScriptPtr script = with_prelude("end", R"(
local held = 1
if current_epoch() ~= ARGV[4] then held = 0 end
local mark = 'm:' .. ARGV[3]
for i = 3, #KEYS do
  local untill = tonumber(redis.call('HGET', KEYS[i], mark) or '0')
  if untill <= now then
    held = 0
    redis.call('HDEL', KEYS[i], mark)
  elseif tonumber(ARGV[i + 2]) > 0 then redis.call('HSET', KEYS[i], mark, now + tonumber(ARGV[i + 2]))
  else redis.call('HDEL', KEYS[i], mark) end
end
return held
)");
  return script;
}

ScriptPtr report() {
  static const ScriptPtr script = with_prelude("report", R"(
local epoch, since, last = current_epoch()
local function renew(position)
  local lease = now + tonumber(ARGV[6])
  redis.call('HSET', KEYS[1], 'r:' .. ARGV[3], string.format('%.0f %.0f', lease, position), 'until', lease)
end
local position = tonumber(ARGV[5])
if ARGV[4] ~= epoch then
  renew(last)
  return {epoch, 1, 1, last}
end
local missed = {}
if position < last then
  missed = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', position + 1), '+', 'COUNT', 500)
  if #missed == 0 or missed[1][1] ~= string.format('%.0f-0', position + 1) then
    renew(last)
    return {epoch, 1, 1, last}
  end
end
redis.call('PUBLISH', 'cg:ack', epoch .. ' ' .. ARGV[5] .. ' ' .. ARGV[3])
local renewed = 0
if #missed == 0 or now - tonumber(missed[1][2][2]) <= tonumber(ARGV[7]) then
  renew(position)
  renewed = 1
end
local out = {epoch, renewed, 0, last}
for i = 1, #missed do
  out[#out + 1] = string.match(missed[i][1], '^%d+')
  out[#out + 1] = missed[i][2][4]
end
return out
)");
  return script;
}

ScriptPtr leave() {
  static const ScriptPtr script = with_prelude("leave", R"(
current_epoch()
redis.call('HDEL', KEYS[1], 'r:' .. ARGV[3])
local fields = redis.call('HGETALL', KEYS[1])
local latest = false
for f = 1, #fields, 2 do
  if string.sub(fields[f], 1, 2) == 'r:' then
    latest = math.max(latest or 0, tonumber(string.match(fields[f + 1], '^%d+')))
  end
end
if latest then redis.call('HSET', KEYS[1], 'until', latest) else redis.call('HDEL', KEYS[1], 'until') end
return 1
)");
  return script;
}

ScriptPtr renew_epoch() {
  static const ScriptPtr script = with_prelude("renew_epoch", R"(
local _, since = current_epoch()
local live = live_replicas()
local epoch = new_epoch()
redis.call('PUBLISH', 'cg:log', epoch .. ' 0 ')
return {epoch, 0, now - since, unpack(live)}
)");
  return script;
}

ScriptPtr extend() {
  static const ScriptPtr script = std::make_shared<const redis::Script>(redis::Script{"extend", R"(#!lua flags=allow-oom
for i = 1, #KEYS do
  local flight = redis.call('GET', KEYS[i])
  if flight == ARGV[i + 1] or flight == ARGV[i + 1] .. '+' then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
end
return 1
)"});
  return script;
}

}  // namespace gateway::cache::scripts
