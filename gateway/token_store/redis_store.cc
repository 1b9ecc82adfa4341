#include "gateway/token_store/redis_store.h"

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <stdexcept>

#include "gateway/access/key_hash.h"
#include "gateway/log/failure.h"

namespace gateway::token_store {

namespace {

const std::string kGrants = "cg:oauth:grants", kServer = "cg:oauth:server", kChanged = "cg:oauth:changed";
std::string lock_key(const std::string& id) { return "cg:oauth:lock:" + id; }

using ScriptPtr = std::shared_ptr<const redis::Script>;
// Also where Redis is full: a pair that is not stored is a grant lost.
ScriptPtr script(const char* name, const char* source) {
  return std::make_shared<const redis::Script>(redis::Script{name, std::string("#!lua flags=allow-oom") + source});
}

// KEYS: grants, lock, server. ARGV: id, token, life, run id, rest.
const ScriptPtr kLock = script("token_lock", R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local server = redis.call('HMGET', KEYS[3], 'run_id', 'since')
if server[1] ~= ARGV[4] then
  redis.call('HSET', KEYS[3], 'run_id', ARGV[4], 'since', string.format('%.0f', now))
  server[2] = now
end
local rest = tonumber(ARGV[5]) - (now - tonumber(server[2]))
if rest > 0 then return {'busy', tostring(math.ceil(rest))} end
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return {'busy', '100'} end
return {'locked', redis.call('HGET', KEYS[1], ARGV[1]) or ''}
)lua");

// KEYS: lock. ARGV: token, life.
const ScriptPtr kRenew = script("token_lock_renew", R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
)lua");

// KEYS: lock. ARGV: token.
const ScriptPtr kUnlock = script("token_unlock", R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)lua");

// KEYS: grants, lock. ARGV: id, text, channel, lock's token. The rule of supersedes(). What is stored needs no lock any
// more: a right that is given back later could stay behind where Redis dies in between.
const ScriptPtr kSave = script("token_save", R"lua(
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local have, was = string.match(stored, '^(%d+) (%a+) ')
  local want, is = string.match(ARGV[2], '^(%d+) (%a+) ')
  have, want = tonumber(have or 0), tonumber(want)
  if have > want or (have == want and (is ~= 'ended' or was == 'ended')) then return stored end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('GET', KEYS[2]) == ARGV[4] then redis.call('DEL', KEYS[2]) end
redis.call('PUBLISH', ARGV[3], ARGV[1])
return ''
)lua");

Failure away(const redis::Status& status) {
  return {"Redis, which keeps the tokens, is away" + (status.error.empty() ? "" : ": " + status.error), true};
}

// The reply as a T, or why there is none.
template <typename T>
std::variant<T, Failure> reply_as(redis::Result result, const redis::Status& status) {
  auto* value = std::get_if<redis::Value>(&result);
  if (value == nullptr) return away(status);
  if (auto* wanted = std::get_if<T>(&value->data)) return std::move(*wanted);
  const auto* error = std::get_if<redis::Error>(&value->data);
  return Failure{
      "Redis refuses the token store: " + (error ? error->message : std::string("an answer of another kind")), true};
}

std::string text_of(const redis::Value& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  return text ? *text : std::string();
}

}  // namespace

// Renews the lock until it is dropped; then gives it back.
class RedisStore::RedisLease final : public Lease {
 public:
  RedisLease(asio::io_context& io, redis::Client& redis, std::string key, std::string token, const Options& options,
             std::shared_ptr<bool> open)
      : io_(io),
        redis_(redis),
        key_(std::move(key)),
        token_(std::move(token)),
        options_(options),
        open_(std::move(open)),
        pause_(std::make_shared<asio::steady_timer>(io)) {
    asio::co_spawn(io_, keep(redis_, key_, token_, options_, pause_), log::logged("token_lock_failed"));
  }
  ~RedisLease() override {
    if (!*open_) return;
    pause_->cancel();
    asio::co_spawn(io_, redis_.eval(kUnlock, {key_}, {token_}, options_.command),
                   [](const std::exception_ptr& error, const redis::Result&) {  // what is not given back ends by itself
                     log::failure("token_unlock_failed", error);
                   });
  }

 private:
  static asio::awaitable<void> keep(redis::Client& redis, std::string key, std::string token, Options options,
                                    std::shared_ptr<asio::steady_timer> pause) {
    for (;;) {
      asio::error_code cancelled;
      pause->expires_after(options.lock_renewal);
      co_await pause->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
      if (cancelled || pause.use_count() == 1) co_return;
      std::vector<std::string> keys{key}, arguments{token, std::to_string(options.lock_life.count())};
      co_await redis.eval(kRenew, std::move(keys), std::move(arguments), options.command);
      if (pause.use_count() == 1) co_return;  // dropped meanwhile
    }
  }

  asio::io_context& io_;
  redis::Client& redis_;
  std::string key_, token_;
  Options options_;
  std::shared_ptr<bool> open_;
  std::shared_ptr<asio::steady_timer> pause_;
};

RedisStore::RedisStore(asio::io_context& io, redis::Client& redis, Sealed sealed, Options options)
    : io_(io), redis_(redis), sealed_(std::move(sealed)), options_(options) {}

void RedisStore::start(std::function<void()> on_change) {
  on_change_ = std::make_shared<std::function<void()>>(std::move(on_change));
  redis_.subscribe({kChanged}, [call = on_change_](std::string_view, std::string_view) {
    if (*call) (*call)();
  });
}

RedisStore::~RedisStore() { stop(); }

void RedisStore::stop() {
  *open_ = false;
  if (on_change_) *on_change_ = nullptr;
}

asio::awaitable<LoadResult> RedisStore::load() {
  co_await redis_.connected(options_.command);  // at the start it is on its way
  std::vector<std::string> command{"HGETALL", kGrants};
  auto reply = reply_as<redis::Array>(co_await redis_.command(std::move(command), options_.command), redis_.status());
  if (auto* failure = std::get_if<Failure>(&reply)) co_return std::move(*failure);
  const auto& pairs = std::get<redis::Array>(reply);
  std::vector<Grant> grants;
  try {
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
      grants.push_back(sealed_.open(text_of(pairs[i]), text_of(pairs[i + 1])));
  } catch (const std::runtime_error& e) {
    co_return Failure{e.what(), false};
  }
  co_return grants;
}

asio::awaitable<LockResult> RedisStore::lock(std::string id) {
  if (!redis_.status().up) co_return away(redis_.status());
  const std::string token = access::new_key();
  std::vector<std::string> keys{kGrants, lock_key(id), kServer};
  std::vector<std::string> arguments{id, token, std::to_string(options_.lock_life.count()), redis_.status().run_id,
                                     std::to_string(options_.rest.count())};
  auto reply = reply_as<redis::Array>(
      co_await redis_.eval(kLock, std::move(keys), std::move(arguments), options_.command), redis_.status());
  if (auto* failure = std::get_if<Failure>(&reply)) {
    RedisLease(io_, redis_, lock_key(id), token, options_, open_);  // it may have been given all the same: goes back
    co_return std::move(*failure);
  }
  const auto& answer = std::get<redis::Array>(reply);
  if (answer.size() != 2) co_return Failure{"Redis refuses the token store", true};
  if (text_of(answer[0]) == "busy")
    co_return Busy{std::chrono::milliseconds(std::max(1, std::atoi(text_of(answer[1]).c_str())))};
  held_[id] = token;
  Locked locked{std::make_shared<RedisLease>(io_, redis_, lock_key(id), token, options_, open_), std::nullopt};
  try {
    if (const auto stored = text_of(answer[1]); !stored.empty()) locked.stored = sealed_.open(id, stored);
  } catch (const std::runtime_error& e) {
    co_return Failure{e.what(), false};
  }
  co_return locked;
}

asio::awaitable<SaveResult> RedisStore::save(Grant grant) {
  const auto held = held_.find(grant.id);
  std::vector<std::string> keys{kGrants, lock_key(grant.id)};
  std::vector<std::string> arguments{grant.id, sealed_.close(grant), kChanged, held == held_.end() ? "" : held->second};
  auto reply = reply_as<std::string>(
      co_await redis_.eval(kSave, std::move(keys), std::move(arguments), options_.command), redis_.status());
  if (auto* failure = std::get_if<Failure>(&reply)) co_return std::move(*failure);
  const auto& stored = std::get<std::string>(reply);
  if (stored.empty()) co_return Saved{};
  try {
    co_return Superseded{sealed_.open(grant.id, stored)};
  } catch (const std::runtime_error& e) {
    co_return Failure{e.what(), false};
  }
}

}  // namespace gateway::token_store
