#include "gateway/redis/connection.h"

#include <algorithm>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/post.hpp>

#include "gateway/redis/call.h"
#include "gateway/redis/reply_view.h"
#include "gateway/redis/value.h"

namespace gateway::redis {
namespace {

using Handler = asio::async_result<asio::use_awaitable_t<>, void(Result)>::handler_type;

constexpr std::size_t max_reply_elements = 1'000'000;

Connection* connection_of(const redisAsyncContext* context) { return static_cast<Connection*>(context->data); }

void argument_pointers(const std::vector<std::string>& arguments, std::vector<const char*>& texts,
                       std::vector<std::size_t>& sizes) {
  texts.reserve(arguments.size());
  sizes.reserve(arguments.size());
  for (const std::string& argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
}

std::string explain(const redisAsyncContext& context) {
  switch (context.c.err) {
    case REDIS_ERR_EOF:
      return "the server closed the connection";
    case REDIS_ERR_PROTOCOL:
    case REDIS_ERR_OOM:  // what a refused reply looks like
      return "the server's answer is not RESP2, was not asked for or is too large";
    default:
      return context.c.errstr;
  }
}

}  // namespace

struct Connection::Pending {
  explicit Pending(Handler answer) : handler(std::move(answer)) {}
  explicit Pending(std::shared_ptr<Call> to) : call(std::move(to)), flat(true) {}
  bool waits() const { return handler || call; }
  std::optional<Handler> handler;  // this or `call`; neither: answered
  std::shared_ptr<Call> call;
  const bool flat = false;  // how its replies are read, also when nobody waits for them any more
  std::size_t replies = 1;  // that are to come
  Clock::time_point deadline;
  Deadlines::iterator place;
};

struct Connection::Ended {
  struct One {
    std::shared_ptr<Call> call;
    std::optional<Unavailable> why;
  };
  std::vector<One> calls;
  bool posted = false;

  static void tell(const std::shared_ptr<Ended>& ended) {
    tell_all(std::exchange(ended->calls, {}), [](const One& one) { one.call->done(one.why); });
  }
  static void add(asio::io_context& io, const std::shared_ptr<Ended>& ended, One one, bool told_soon) {
    ended->calls.push_back(std::move(one));
    if (told_soon || std::exchange(ended->posted, true)) return;
    asio::post(io, [ended] {
      ended->posted = false;
      tell(ended);
    });
  }
};

std::shared_ptr<Connection> Connection::open(asio::io_context& io, const asio::ip::tcp::endpoint& address,
                                             ConnectionLimits limits) {
  std::shared_ptr<Connection> connection(new Connection(io, limits));
  connection->start(address);
  return connection;
}

Connection::Connection(asio::io_context& io, ConnectionLimits limits)
    : io_(io),
      limits_(limits),
      changed_(io.get_executor()),
      ended_(std::make_shared<Ended>()),
      deadline_timer_(io),
      watch_timer_(io) {}

Connection::~Connection() { close("dropped"); }

void Connection::start(const asio::ip::tcp::endpoint& address) {
  context_ = redisAsyncConnect(address.address().to_string().c_str(), address.port());
  if (!context_) throw std::bad_alloc();
  if (context_->err != 0) return close(context_->errstr);
  context_->data = this;
  guard_ = std::make_unique<ReplyGuard>(context_, limits_.max_reply_bytes, max_reply_elements);
  guard_->read_flat_where([this] { return !queue_.empty() && queue_.front()->flat; });
  adapter_ = std::make_unique<AsioAdapter>(io_, context_, weak_from_this(), [this] {
    heard_ = Clock::now();
    silent_ = false;
    if (std::exchange(replied_, false)) last_reply_ = heard_;
    // A reply still being read has no size known to the guard.
    if (context_ && context_->c.reader->len > limits_.max_reply_bytes) close("a reply is larger than allowed");
    Ended::tell(ended_);
  });
  redisEnableKeepAlive(&context_->c);
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) noexcept {
    if (status == REDIS_OK) return connection_of(context)->note_open();
    // hiredis frees the context without another word to us.
    connection_of(context)->error_ = explain(*context);
    connection_of(context)->note_closed();
  });
  redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) noexcept {
    Connection& self = *connection_of(context);
    if (self.error_.empty()) self.error_ = explain(*context);
    self.note_closed();
  });
}

void Connection::note_open() {
  open_ = true;
  changed_.notify();
}

void Connection::note_closed() {
  context_ = nullptr;
  open_ = false;
  watch_timer_.cancel();
  changed_.notify();
}

void Connection::close(std::string reason) {
  if (!context_) return;
  if (error_.empty()) error_ = std::move(reason);
  redisAsyncFree(context_);  // answers what is outstanding through on_reply(nullptr)
  note_closed();
}

asio::awaitable<bool> Connection::opened(std::shared_ptr<Connection> self, Clock::time_point deadline) {
  while (!self->open_ && self->context_ && Clock::now() < deadline) co_await self->changed_.wait(deadline);
  if (!self->open_) self->close("no connection within the time limit");
  co_return self->open_;
}

asio::awaitable<void> Connection::closed(std::shared_ptr<Connection> self) {
  while (self->context_) co_await self->changed_.wait();
}

asio::awaitable<Result> Connection::call(std::shared_ptr<Connection> self, Words command, Clock::time_point deadline) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
      [](Handler handler, std::shared_ptr<Connection> connection, const Words& words, Clock::time_point limit) {
        auto pending = std::make_shared<Pending>(std::move(handler));
        pending->deadline = limit;
        pending->place = connection->deadlines_.emplace(limit, pending);
        if (connection->submit(pending, words)) connection->give_up_on_cancel(pending);
      },
      asio::use_awaitable, std::move(self), std::move(command), deadline);
}

void Connection::ask(const Words& words, std::shared_ptr<Call> call, Clock::time_point deadline) {
  auto pending = std::make_shared<Pending>(std::move(call));
  pending->deadline = deadline;
  pending->place = deadlines_.emplace_hint(deadlines_.end(), deadline, pending);
  pending->replies = words.commands();
  submit(pending, words);
}

bool Connection::submit(const std::shared_ptr<Pending>& pending, const Words& commands) {
  if (!has_room(*pending)) return false;
  for (std::size_t i = 0; i < commands.commands(); ++i) {
    const auto text = commands.text(i);
    if (redisAsyncFormattedCommand(context_, &Connection::answered, nullptr, text.data(), text.size()) != REDIS_OK) {
      finish(*pending, Unavailable{Unavailable::Reason::NotConnected});
      return false;
    }
    sent(pending);
  }
  return true;
}

bool Connection::has_room(Pending& pending) {
  if (context_ && sdslen(context_->c.obuf) < limits_.max_unsent_bytes && channels_.empty()) return true;
  finish(pending, Unavailable{Unavailable::Reason::NotConnected});
  return false;
}

void Connection::sent(std::shared_ptr<Pending> pending) {
  if (queue_.empty()) last_reply_ = heard_ = Clock::now();
  queue_.push_back(std::move(pending));
  arm_deadline();
  if (!watching_) arm_watch(last_reply_ + limits_.stall);
}

void Connection::give_up_on_cancel(const std::shared_ptr<Pending>& pending) {
  auto slot = asio::get_associated_cancellation_slot(*pending->handler);
  if (!slot.is_connected()) return;
  slot.assign([self = weak_from_this(), waiting = std::weak_ptr(pending)](asio::cancellation_type type) {
    const auto connection = self.lock();
    const auto command = waiting.lock();
    if (type == asio::cancellation_type::none || !connection || !command) return;
    // Clearing the slot here would destroy this very function.
    connection->finish(*command, Unavailable{Unavailable::Reason::Cancelled}, false);
  });
}

void Connection::finish(Pending& pending, Result result, bool clear_slot) {
  if (pending.call) {
    std::optional<Unavailable> why;
    if (const auto* unavailable = std::get_if<Unavailable>(&result)) why = *unavailable;
    Ended::add(io_, ended_, {std::move(pending.call), why}, adapter_ && adapter_->in_read());
    deadlines_.erase(pending.place);  // last: it may hold the last reference to `pending`
    return;
  }
  if (!pending.handler) return;
  Handler handler = std::move(*pending.handler);
  pending.handler.reset();
  if (clear_slot) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.clear();
  }
  const auto executor = asio::get_associated_executor(handler, io_.get_executor());
  asio::post(executor,
             [handler = std::move(handler), result = std::move(result)]() mutable { handler(std::move(result)); });
  deadlines_.erase(pending.place);  // last: it may hold the last reference to `pending`
}

void Connection::answered(redisAsyncContext* context, void* reply, void*) noexcept {
  connection_of(context)->on_reply(static_cast<const redisReply*>(reply));
}

// hiredis calls this once for each command in the order they were sent: with its reply, or with null when the
// connection ends. The front of our queue is therefore always the one answered, whether or not anyone still waits for
// it.
void Connection::on_reply(const redisReply* reply) {
  if (queue_.empty()) return;
  replied_ = true;
  const std::shared_ptr<Pending> pending = std::move(queue_.front());
  queue_.pop_front();
  if (!pending->waits()) return;
  if (reply && pending->call) {
    pending->call->take(ReplyView(guard_->flat()));
    if (--pending->replies == 0) finish(*pending, Value{});
  } else if (reply)
    finish(*pending, to_value(*reply));
  else
    finish(*pending, Unavailable{Unavailable::Reason::ConnectionLost});
}

// One timer for all: it is set for the earliest limit and, when that command was answered meanwhile, finds nothing due
// and is set for the next. Answering a command never touches it.
void Connection::arm_deadline() {
  if (deadlines_.empty() || deadlines_.begin()->first >= armed_for_) return;
  armed_for_ = deadlines_.begin()->first;
  deadline_timer_.expires_at(armed_for_);
  deadline_timer_.async_wait([owner = weak_from_this()](asio::error_code error) {
    const auto self = owner.lock();
    if (self && !error) self->expire();
  });
}

void Connection::expire() {
  armed_for_ = Clock::time_point::max();
  const auto now = Clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::shared_ptr<Pending> pending = deadlines_.begin()->second;
    // A limit begins a little before its command is sent.
    silent_ = now - heard_ >= limits_.silence - limits_.silence / 16;
    finish(*pending, Unavailable{Unavailable::Reason::Timeout});
  }
  arm_deadline();
}

void Connection::arm_watch(Clock::time_point at) {
  watching_ = true;
  watch_timer_.expires_at(at);
  watch_timer_.async_wait([owner = weak_from_this()](asio::error_code error) {
    const auto self = owner.lock();
    if (self && !error && self->context_) self->watch();
  });
}

// A server that says nothing for long is given up even where TCP still holds. A subscription is told apart from an idle
// server by asking for its first channel again: the confirmation is the sign of life.
void Connection::watch() {
  watching_ = false;
  const auto now = Clock::now();
  if (!channels_.empty()) {
    if (now - last_reply_ >= 2 * limits_.stall) return close("the subscription's server stopped answering");
    send_subscribe({channels_.front()});
    return arm_watch(now + limits_.stall);
  }
  if (queue_.empty()) return;  // armed again by the next command
  // A command given more time than `stall` has all of it.
  const auto give_up = std::max(last_reply_ + limits_.stall, queue_.front()->deadline);
  if (now >= give_up) return close("the server stopped answering");
  arm_watch(give_up);
}

void Connection::subscribe(std::vector<std::string> channels, OnMessage on_message) {
  if (!context_ || channels.empty()) return;
  channels_ = std::move(channels);
  on_message_ = std::move(on_message);
  last_reply_ = Clock::now();
  send_subscribe(channels_);
  arm_watch(last_reply_ + limits_.stall);
}

void Connection::send_subscribe(const std::vector<std::string>& channels) {
  Arguments arguments{"SUBSCRIBE"};
  arguments.insert(arguments.end(), channels.begin(), channels.end());
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  argument_pointers(arguments, texts, sizes);
  const auto callback = [](redisAsyncContext* context, void* reply, void*) noexcept {
    if (reply) connection_of(context)->on_push(*static_cast<const redisReply*>(reply));
  };
  redisAsyncCommandArgv(context_, callback, nullptr, static_cast<int>(texts.size()), texts.data(), sizes.data());
}

void Connection::on_push(const redisReply& reply) {
  last_reply_ = Clock::now();
  const std::string_view about(reply.element[1]->str, reply.element[1]->len);
  // hiredis repeats the last callback for a channel that it does not know.
  if (std::find(channels_.begin(), channels_.end(), about) == channels_.end()) return;
  std::string channel, message;  // empty: all channels are confirmed
  if (std::string_view(reply.element[0]->str, reply.element[0]->len) == "subscribe") {
    if (++confirmed_ != channels_.size()) return;
  } else {
    if (reply.element[2]->type != REDIS_REPLY_STRING) return;
    channel = about;
    message.assign(reply.element[2]->str, reply.element[2]->len);
  }
  asio::post(io_, [owner = weak_from_this(), channel = std::move(channel), message = std::move(message)] {
    const auto self = owner.lock();
    if (self && self->context_) self->on_message_(channel, message);
  });
}

}  // namespace gateway::redis
