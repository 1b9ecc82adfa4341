// What coroutines of one io_context thread wait on: "something changed, look again". The waiter keeps the event's owner
// alive and checks its own condition after each wait; a wait ends by notify(), at its deadline or by cancellation.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <list>
#include <utility>

namespace gateway::redis {

using Clock = std::chrono::steady_clock;

class Event {
 public:
  explicit Event(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  asio::awaitable<void> wait(Clock::time_point deadline = Clock::time_point::max()) {
    asio::steady_timer timer(executor_, deadline);
    const Place place(*this, timer);
    asio::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  void notify() {
    for (asio::steady_timer* timer : waiting_) timer->cancel();
  }

 private:
  struct Place {
    Place(Event& event, asio::steady_timer& timer)
        : waiting(event.waiting_), self(waiting.insert(waiting.end(), &timer)) {}
    ~Place() { waiting.erase(self); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::list<asio::steady_timer*>& waiting;
    std::list<asio::steady_timer*>::iterator self;
  };

  asio::any_io_executor executor_;
  std::list<asio::steady_timer*> waiting_;
};

}  // namespace gateway::redis
