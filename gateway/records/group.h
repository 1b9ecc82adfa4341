// Coroutines that run side by side for one that waits for all of them. Asio thread only. The group may go at any time:
// what still runs is then cancelled, as a client's hang-up would, and its results are dropped.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <memory>
#include <vector>

namespace gateway::records {

template <typename Result>
class Group {
 public:
  explicit Group(asio::io_context& io) : io_(io), state_(std::make_shared<State>(io)) {}
  ~Group() { cancel(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  void start(asio::awaitable<Result> work) {
    const std::size_t place = state_->results.size();
    state_->results.emplace_back();
    auto& signal = state_->signals.emplace_back();
    ++state_->running;
    asio::co_spawn(
        io_, std::move(work),
        asio::bind_cancellation_slot(signal.slot(), [state = state_, place](std::exception_ptr error, Result result) {
          if (error && !state->error) state->error = error;
          state->results[place] = std::move(result);
          if (--state->running == 0) state->all.cancel();
        }));
  }

  bool finished() const { return state_->running == 0; }

  // The results in the order of their starts; throws what the first of them threw.
  asio::awaitable<std::vector<Result>> wait() {
    const auto state = state_;
    while (state->running > 0) {
      asio::error_code woken;
      co_await state->all.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        throw asio::system_error(asio::error::operation_aborted);
    }
    if (state->error) std::rethrow_exception(state->error);
    co_return std::move(state->results);
  }

  void cancel() {
    const auto state = state_;
    for (auto& signal : state->signals) signal.emit(asio::cancellation_type::terminal);
  }

 private:
  struct State {
    explicit State(asio::io_context& io) : all(io, asio::steady_timer::time_point::max()) {}
    std::vector<Result> results;
    std::deque<asio::cancellation_signal> signals;
    std::size_t running = 0;
    std::exception_ptr error;
    asio::steady_timer all;
  };
  asio::io_context& io_;
  std::shared_ptr<State> state_;
};

}  // namespace gateway::records
