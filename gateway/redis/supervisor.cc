#include "gateway/redis/supervisor.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>

namespace gateway::redis {

Supervisor::Supervisor(asio::io_context& io, std::shared_ptr<const Options> options, OnUp on_up, OnDown on_down)
    : io_(io),
      options_(options),
      dialler_(std::make_shared<Dialler>(io, options)),
      on_up_(std::move(on_up)),
      on_down_(std::move(on_down)),
      pause_(io.get_executor()) {}

void Supervisor::start() {
  // run() ends by stop() alone, through the cancellation of whatever it waits for.
  const auto ended = [self = shared_from_this(), signal = cancel_](std::exception_ptr error) {
    if (error && !self->stopped_) std::rethrow_exception(error);
  };
  asio::co_spawn(io_, run(shared_from_this()), asio::bind_cancellation_slot(cancel_->slot(), ended));
}

void Supervisor::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (connection_) connection_->close("stopped");
  cancel_->emit(asio::cancellation_type::all);
}

asio::awaitable<void> Supervisor::run(std::shared_ptr<Supervisor> self) {
  while (!self->stopped_) {
    std::string failure;
    try {
      failure = co_await attempt(self);
    } catch (const std::exception& error) {  // of who was told that it is up; nobody else would dial again
      if (self->stopped_) throw;
      failure = error.what();
    }
    if (self->connection_) self->connection_->close(failure);
    self->connection_.reset();
    if (self->stopped_) co_return;
    self->on_down_(failure);
    const auto until = Clock::now() + self->next_pause();
    while (!self->stopped_ && Clock::now() < until) co_await self->pause_.wait(until);
  }
}

// One connection from its beginning to its end; why it ended.
asio::awaitable<std::string> Supervisor::attempt(std::shared_ptr<Supervisor> self) {
  Dialled dialled;
  try {
    dialled = co_await Dialler::dial(self->dialler_);
  } catch (const std::exception& error) {  // no descriptor or no memory left: as passing as any other failure
    if (self->stopped_) throw;
    dialled = std::string(error.what());
  }
  if (const auto* failure = std::get_if<std::string>(&dialled)) co_return *failure;
  if (self->stopped_) co_return std::string();
  const auto began = Clock::now();
  self->connection_ = std::get<Ready>(dialled).connection;
  self->on_up_(std::get<Ready>(dialled));
  co_await Connection::closed(self->connection_);
  // A server that is fine until it is spoken to must not be dialled without a pause for ever.
  if (Clock::now() - began >= self->options_->backoff_max) self->failures_ = 0;
  co_return self->connection_->error();
}

std::chrono::milliseconds Supervisor::next_pause() {
  const auto doubled = options_->backoff_min * (std::int64_t{1} << std::min(failures_++, 20));
  const auto pause = std::min<std::chrono::milliseconds>(doubled, options_->backoff_max);
  return pause / 2 +
         std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, pause.count() / 2)(random_));
}

}  // namespace gateway::redis
