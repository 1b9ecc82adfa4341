#include "gateway/redis/client.h"

#include <strings.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <csignal>
#include <utility>

#include "gateway/redis/call.h"
#include "gateway/redis/reply_view.h"
#include "gateway/redis/supervisor.h"

namespace gateway::redis {
namespace {

using Milliseconds = std::chrono::milliseconds;
using Arguments = std::vector<std::string>;

void ignore_broken_pipes() {
  struct sigaction current {};
  if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

// hiredis would take the connection for another kind from here on.
bool changes_connection(const std::string& command) {
  constexpr std::array names{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
                             "MONITOR",   "QUIT",       "RESET",      "HELLO",       "SYNC",         "PSYNC"};
  for (const char* name : names)
    if (strcasecmp(name, command.c_str()) == 0) return true;
  return false;
}

bool is_error(const Result& result, std::string_view code) {
  const auto* value = std::get_if<Value>(&result);
  const auto* error = value ? std::get_if<Error>(&value->data) : nullptr;
  return error && error->message.starts_with(code);
}

Words script_words(std::string_view command, const std::string& script, const Arguments& keys,
                   const Arguments& arguments) {
  constexpr std::size_t kBeforeKeys = 3;
  Words words;
  words.command(kBeforeKeys + keys.size() + arguments.size()).add(command).add(script).add(keys.size());
  for (const auto& key : keys) words.add(key);
  for (const auto& argument : arguments) words.add(argument);
  return words;
}

constexpr std::string_view kReadOnly = "READONLY";
constexpr const char* kDeposed = "READONLY: the server became a replica";

// What happens around every call, whoever makes it: its time is counted, and a deposed master is left.
class Observed final : public Call {
 public:
  Observed(std::shared_ptr<Call> call, std::shared_ptr<const Options> options, std::weak_ptr<Connection> connection,
           std::string_view name)
      : call_(std::move(call)), options_(std::move(options)), connection_(std::move(connection)), name_(name) {}

  void take(const ReplyView& reply) override {
    read_only_ |= reply.error().value_or(std::string_view()).starts_with(kReadOnly);
    call_->take(reply);
  }

  void done(std::optional<Unavailable> why) override {
    if (options_->on_command) options_->on_command(name_, Clock::now() - began_);
    if (const auto connection = read_only_ ? connection_.lock() : nullptr) connection->close(kDeposed);
    call_->done(why);
  }

 private:
  std::shared_ptr<Call> call_;
  std::shared_ptr<const Options> options_;
  std::weak_ptr<Connection> connection_;
  std::string name_;
  Clock::time_point began_ = Clock::now();
  bool read_only_ = false;
};

}  // namespace

class Client::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Options given)
      : io_(io), options_(std::make_shared<const Options>(std::move(given))), changed_(io.get_executor()) {}

  void start() {
    if (std::exchange(started_, true)) return;
    add_supervisor(
        [owner = weak_from_this()](const Ready& ready) {
          if (auto self = owner.lock()) self->up(ready);
        },
        [owner = weak_from_this()](const std::string& why) {
          if (auto self = owner.lock()) self->down(why);
        });
  }

  void subscribe(Arguments channels, Connection::OnMessage on_message) {
    add_supervisor([channels, on_message](const Ready& ready) { ready.connection->subscribe(channels, on_message); },
                   [](const std::string&) {});
  }

  void stop() {
    connection_.reset();
    for (const auto& supervisor : supervisors_) supervisor->stop();
    supervisors_.clear();
    status_.up = false;
    status_.error = "stopped";
  }

  static asio::awaitable<bool> connected(std::shared_ptr<Impl> self, Clock::time_point deadline) {
    while (!self->status_.up && Clock::now() < deadline) co_await self->changed_.wait(deadline);
    co_return self->status_.up;
  }

  static asio::awaitable<Result> command(std::shared_ptr<Impl> self, Arguments arguments, Milliseconds limit) {
    if (arguments.empty() || changes_connection(arguments[0]))
      co_return Value{Error{"ERR this command is not for a shared connection"}};
    const auto began = Clock::now();
    const std::string name = arguments[0];
    Result result = co_await self->send(Words(arguments), self->deadline(began, limit));
    self->observe(name, began);
    co_return result;
  }

  static asio::awaitable<Result> eval(std::shared_ptr<Impl> self, std::shared_ptr<const Script> script, Arguments keys,
                                      Arguments arguments, Milliseconds limit) {
    const auto began = Clock::now();
    const auto deadline = self->deadline(began, limit);
    Result result = co_await self->send(script_words("EVALSHA", script->sha1, keys, arguments), deadline);
    // The whole source runs it and leaves it loaded; NOSCRIPT means that nothing ran yet.
    if (is_error(result, "NOSCRIPT"))
      result = co_await self->send(script_words("EVAL", script->source, keys, arguments), deadline);
    self->observe(script->name, began);
    co_return result;
  }

  void ask(std::string_view name, const Words& words, std::shared_ptr<Call> call, Milliseconds limit) {
    call = std::make_shared<Observed>(std::move(call), options_, connection_, name);
    if (!connection_)
      return asio::post(io_, [call = std::move(call)] { call->done(Unavailable{Unavailable::Reason::NotConnected}); });
    connection_->ask(words, std::move(call), deadline(Clock::now(), limit));
  }

  const Status& status() const { return status_; }
  Milliseconds timeout() const { return options_->timeout; }
  bool silent() const { return connection_ && connection_->silent(); }

 private:
  void add_supervisor(Supervisor::OnUp on_up, Supervisor::OnDown on_down) {
    supervisors_.push_back(std::make_shared<Supervisor>(io_, options_, std::move(on_up), std::move(on_down)));
    supervisors_.back()->start();
  }

  void up(const Ready& ready) {
    connection_ = ready.connection;
    status_ = {true, ready.run_id, status_.connects + 1, status_.failed_dials, {}};
    changed_.notify();
    if (options_->on_status) options_->on_status(status_);
  }

  void down(const std::string& reason) {
    connection_.reset();
    if (!status_.up) ++status_.failed_dials;
    const bool news = status_.up || status_.error != reason;
    status_.up = false;
    status_.error = reason;
    if (news && options_->on_status) options_->on_status(status_);
  }

  Clock::time_point deadline(Clock::time_point began, Milliseconds limit) const {
    return began + (limit > Milliseconds::zero() ? limit : options_->timeout);
  }

  void observe(std::string_view name, Clock::time_point began) const {
    if (options_->on_command) options_->on_command(name, Clock::now() - began);
  }

  asio::awaitable<Result> send(Words words, Clock::time_point deadline) {
    return send_on(shared_from_this(), connection_, std::move(words), deadline);
  }

  static asio::awaitable<Result> send_on(std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection,
                                         Words words, Clock::time_point deadline) {
    if (!connection) co_return Unavailable{Unavailable::Reason::NotConnected};
    Result result = co_await Connection::call(connection, std::move(words), deadline);
    // The master was deposed: leave it, and look for the new one.
    if (is_error(result, kReadOnly)) connection->close(kDeposed);
    co_return result;
  }

  asio::io_context& io_;
  std::shared_ptr<const Options> options_;
  bool started_ = false;
  Status status_;
  Event changed_;
  std::shared_ptr<Connection> connection_;  // null while not up
  std::vector<std::shared_ptr<Supervisor>> supervisors_;
};

Client::Client(asio::io_context& io, Options options) : impl_(std::make_shared<Impl>(io, std::move(options))) {
  ignore_broken_pipes();
}

Client::~Client() { impl_->stop(); }

void Client::start() { impl_->start(); }
void Client::stop() { impl_->stop(); }
const Status& Client::status() const { return impl_->status(); }
std::chrono::milliseconds Client::timeout() const { return impl_->timeout(); }
bool Client::silent() const { return impl_->silent(); }

asio::awaitable<bool> Client::connected(std::chrono::milliseconds limit) {
  return Impl::connected(impl_, Clock::now() + limit);
}

asio::awaitable<Result> Client::command(std::vector<std::string> arguments, std::chrono::milliseconds limit) {
  return Impl::command(impl_, std::move(arguments), limit);
}

asio::awaitable<Result> Client::eval(std::shared_ptr<const Script> script, std::vector<std::string> keys,
                                     std::vector<std::string> arguments, std::chrono::milliseconds limit) {
  return Impl::eval(impl_, std::move(script), std::move(keys), std::move(arguments), limit);
}

void Client::ask(std::string_view name, const Words& words, std::shared_ptr<Call> call,
                 std::chrono::milliseconds limit) {
  impl_->ask(name, words, std::move(call), limit);
}

void Client::subscribe(std::vector<std::string> channels,
                       std::function<void(std::string_view channel, std::string_view message)> on_message) {
  impl_->subscribe(std::move(channels), std::move(on_message));
}

}  // namespace gateway::redis
