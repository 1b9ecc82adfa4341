#include "gateway/flows/scripts.h"

namespace gateway::flows::scripts {

namespace {
// All but enqueue() and tick() may run when Redis is out of memory: they end what was taken.
constexpr const char* kHelp = R"(
local Q, DUE, DEAD, EVERY = 'cg:flows:queue', 'cg:flows:due', 'cg:flows:dead', 'cg:flows:every'
local function run_key(run) return 'cg:flows:run:' .. run end
local function order_key(order) return 'cg:flows:order:' .. order end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function queue(run)
  redis.call('HSET', run_key(run), 'state', 'queued')
  redis.call('XADD', Q, '*', 'r', run)
end
local function mine(entry, consumer)
  local pending = redis.pcall('XPENDING', Q, 'flows', entry, entry, 1)
  return not pending.err and pending[1] and pending[1][2] == consumer
end
local function leave(entry)
  redis.call('XACK', Q, 'flows', entry)
  redis.call('XDEL', Q, entry)
end
-- The run is over for its order: the next one goes.
local function let_next(run)
  local order = redis.call('HGET', run_key(run), 'order')
  if not order or order == '' then return end
  redis.call('LREM', order_key(order), 1, run)
  local following = redis.call('LINDEX', order_key(order), 0)
  if following and redis.call('HGET', run_key(following), 'state') == 'waiting' then queue(following) end
end
)";

ScriptPtr script(const char* name, const char* body, bool when_full = true) {
  return std::make_shared<const redis::Script>(
      redis::Script{name, std::string(when_full ? "#!lua flags=allow-oom" : "#!lua") + kHelp + body});
}
}  // namespace

ScriptPtr enqueue() {
  static const ScriptPtr made = script("flows_enqueue", R"(
local seen = 'cg:flows:seen:' .. ARGV[1]
local before = redis.call('GET', seen)
if before then return before == ARGV[2] and 0 or -1 end
redis.call('SET', seen, ARGV[2], 'PX', ARGV[3])
for i = 12, #ARGV, 3 do
  local run, order = ARGV[i], ARGV[i + 2]
  if redis.call('EXISTS', run_key(run)) == 0 then
    redis.call('HSET', run_key(run), 'flow', ARGV[i + 1], 'event', ARGV[4], 'kind', ARGV[5], 'type', ARGV[6],
               'source', ARGV[7], 'location', ARGV[8], 'at', ARGV[9], 'body', ARGV[10], 'proves', ARGV[11],
               'order', order, 'tries', 0)
    if order ~= '' and redis.call('RPUSH', order_key(order), run) > 1 then
      redis.call('HSET', run_key(run), 'state', 'waiting')
    else
      queue(run)
    end
  end
end
return 1
)",
                                       false);
  return made;
}

ScriptPtr tick() {
  static const ScriptPtr made = script("flows_tick", R"(
local last = redis.call('HGET', EVERY, ARGV[1])
if not last then
  redis.call('HSET', EVERY, ARGV[1], ARGV[2])
  return 0
end
if tonumber(last) >= tonumber(ARGV[2]) then return 0 end
local before = redis.call('HGET', EVERY, ARGV[1] .. '/run')
local state = before and redis.call('HGET', run_key(before), 'state')
if state and state ~= 'dead' then return 2 end
redis.call('HSET', EVERY, ARGV[1], ARGV[2], ARGV[1] .. '/run', ARGV[3])
redis.call('HSET', run_key(ARGV[3]), 'flow', ARGV[1], 'event', 'every:' .. ARGV[1] .. ':' .. ARGV[2], 'kind', 'every',
           'type', '', 'source', '', 'location', '', 'at', ARGV[4], 'body', ARGV[5], 'order', '', 'tries', 0)
queue(ARGV[3])
return 1
)",
                                       false);
  return made;
}

ScriptPtr note() {
  static const ScriptPtr made = script("flows_note", R"(
if not mine(ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', run_key(ARGV[3]), 's:' .. ARGV[4], ARGV[5])
return 1
)");
  return made;
}

ScriptPtr finish() {
  static const ScriptPtr made = script("flows_finish", R"(
if not mine(ARGV[1], ARGV[2]) then return 0 end
leave(ARGV[1])
let_next(ARGV[3])
redis.call('DEL', run_key(ARGV[3]))
return 1
)");
  return made;
}

ScriptPtr park() {
  static const ScriptPtr made = script("flows_park", R"(
if not mine(ARGV[1], ARGV[2]) then return 0 end
leave(ARGV[1])
local run = run_key(ARGV[3])
redis.call('ZADD', DUE, now + tonumber(ARGV[4]), ARGV[3])
redis.call('HINCRBY', run, 'tries', ARGV[5])
redis.call('HSET', run, 'state', 'due', 'step', ARGV[6], 'reason', ARGV[8])
if ARGV[7] ~= '' then redis.call('HSET', run, 's:' .. ARGV[6], ARGV[7])
elseif redis.call('HGET', run, 's:' .. ARGV[6]) == '?' then redis.call('HDEL', run, 's:' .. ARGV[6]) end
return 1
)");
  return made;
}

ScriptPtr bury() {
  static const ScriptPtr made = script("flows_bury", R"(
if not mine(ARGV[1], ARGV[2]) then return {0, 0} end
leave(ARGV[1])
let_next(ARGV[3])
local letter = redis.call('XADD', DEAD, '*', 'r', ARGV[3])
redis.call('HSET', run_key(ARGV[3]), 'state', 'dead', 'letter', letter, 'dead', now, 'step', ARGV[4], 'field', ARGV[5],
           'reason', ARGV[6], 'detail', ARGV[7], 'order', '')
local dropped = 0
while redis.call('XLEN', DEAD) > tonumber(ARGV[8]) do
  local oldest = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', 1)[1]
  redis.call('DEL', run_key(oldest[2][2]))
  redis.call('XDEL', DEAD, oldest[1])
  dropped = dropped + 1
end
return {1, dropped}
)");
  return made;
}

ScriptPtr renew() {
  static const ScriptPtr made = script("flows_renew", R"(
local out = {}
for i = 2, #ARGV do
  out[#out + 1] = 0
  if mine(ARGV[i], ARGV[1]) then
    redis.call('XCLAIM', Q, 'flows', ARGV[1], 0, ARGV[i], 'JUSTID')
    out[#out] = 1
  end
end
return out
)");
  return made;
}

ScriptPtr release() {
  static const ScriptPtr made = script("flows_release", R"(
for i = 2, #ARGV do
  if mine(ARGV[i], ARGV[1]) then
    redis.call('XCLAIM', Q, 'flows', ARGV[1], 0, ARGV[i], 'IDLE', 3600000, 'JUSTID')
  end
end
return 1
)");
  return made;
}

ScriptPtr wake() {
  static const ScriptPtr made = script("flows_wake", R"(
local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, ARGV[1])
for i = 1, #due do
  redis.call('ZREM', DUE, due[i])
  if redis.call('EXISTS', run_key(due[i])) == 1 then queue(due[i]) end
end
return #due
)");
  return made;
}

ScriptPtr count() {
  static const ScriptPtr made = script("flows_count", R"(
local first = redis.call('XRANGE', Q, '-', '+', 'COUNT', 1)[1]
local age = first and now - tonumber(string.match(first[1], '^%d+')) or 0
return {redis.call('XLEN', Q), redis.call('ZCARD', DUE), redis.call('XLEN', DEAD), age}
)");
  return made;
}

ScriptPtr tidy() {
  static const ScriptPtr made = script("flows_tidy", R"(
local consumers = redis.pcall('XINFO', 'CONSUMERS', Q, 'flows')
if consumers.err then return 0 end
local gone = 0
for _, fields in ipairs(consumers) do
  local about = {}
  for i = 1, #fields, 2 do about[fields[i]] = fields[i + 1] end
  if about.name ~= ARGV[1] and about.pending == 0 and about.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', Q, 'flows', about.name)
    gone = gone + 1
  end
end
return gone
)");
  return made;
}

ScriptPtr letters() {
  static const ScriptPtr made = script("flows_letters", R"(
local out = {}
for _, letter in ipairs(redis.call('XREVRANGE', DEAD, '+', '-', 'COUNT', ARGV[1])) do
  local run = letter[2][2]
  local fields = redis.call('HMGET', run_key(run), 'dead', 'flow', 'event', 'step', 'field', 'reason', 'tries')
  local line = {run}
  for i = 1, 7 do line[i + 1] = fields[i] or '' end
  out[#out + 1] = line
end
return out
)");
  return made;
}

ScriptPtr retry() {
  static const ScriptPtr made = script("flows_retry", R"(
local function again(run, letter)
  redis.call('XDEL', DEAD, letter)
  local fields = redis.call('HGETALL', run_key(run))
  if #fields == 0 then return end
  for i = 1, #fields, 2 do
    if fields[i + 1] == '?' then redis.call('HSET', run_key(run), fields[i], '!') end
  end
  redis.call('HDEL', run_key(run), 'claims', 'letter', 'dead', 'step', 'field', 'reason', 'detail')
  redis.call('HSET', run_key(run), 'tries', 0)
  redis.call('HINCRBY', run_key(run), 'round', 1)
  queue(run)
end
if ARGV[1] ~= '' then
  local letter = redis.call('HGET', run_key(ARGV[1]), 'letter')
  if not letter then return 0 end
  again(ARGV[1], letter)
  return 1
end
local all = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', ARGV[2])
for _, letter in ipairs(all) do again(letter[2][2], letter[1]) end
return #all
)");
  return made;
}

ScriptPtr drop() {
  static const ScriptPtr made = script("flows_drop", R"(
if ARGV[1] ~= '' then
  local letter = redis.call('HGET', run_key(ARGV[1]), 'letter')
  if not letter then return 0 end
  redis.call('XDEL', DEAD, letter)
  redis.call('DEL', run_key(ARGV[1]))
  return 1
end
local all = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', ARGV[2])
for _, letter in ipairs(all) do
  redis.call('XDEL', DEAD, letter[1])
  redis.call('DEL', run_key(letter[2][2]))
end
return #all
)");
  return made;
}

}  // namespace gateway::flows::scripts
