// Single flight: equal reads that miss at the same time share one fetch. Equal is more than the same key: the same
// state of the contract (rule 7), else a read after a write's answer could join a fetch from before it. While Redis is
// away that state is not known, and a read joins only a fetch that has not left yet (it may wait long for its permit):
// what is sent after the read began is new enough. Used on the Asio thread only. A flight lives on its own: a waiter
// that leaves takes nothing from the others; when the last one leaves, the fetch is cancelled.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/cache/fence.h"
#include "policies/coherence.h"

namespace gateway::cache {

template <typename Result, typename Request>
class Flights {
 public:
  class Flight {
   public:
    Flight(asio::io_context& io, policies::coherence::View view, Guard guard)
        : view_(std::move(view)), guard_(std::move(guard)), landed_(io, asio::steady_timer::time_point::max()) {}

    const policies::coherence::View& view() const { return view_; }
    const Guard& guard() const { return guard_; }
    // The leader's slot for cancelling its fetch.
    asio::cancellation_slot slot() { return cancel_.slot(); }
    // A waiter joined: the fetch may have to hurry. Set by the leader.
    std::function<void(const Request& joined)> on_urgency;
    std::shared_ptr<const Request> leader;  // set by the leader

   private:
    friend class Flights;
    policies::coherence::View view_;
    Guard guard_;
    asio::steady_timer landed_;
    asio::cancellation_signal cancel_;
    std::shared_ptr<const Result> result_;
    std::size_t waiters_ = 0;
    bool abandoned_ = false;  // its fetch is being cancelled: nobody may join any more
  };
  using FlightPtr = std::shared_ptr<Flight>;

  explicit Flights(asio::io_context& io) : io_(io) {}

  struct Boarded {
    FlightPtr flight;
    bool leads = false;  // the caller must start the fetch and land() it, whatever happens
  };
  Boarded board(const std::string& key, const policies::coherence::View& view, const Guard& guard) {
    auto& flights = flights_[key];
    for (auto& flight : flights)
      if (!flight->abandoned_ &&
          (policies::coherence::may_share_fetch(flight->view_, flight->guard_.sum, view, guard.sum) ||
           (!view.known() && !flight->view_.known() && flight->leader && !flight->leader->sent)))
        return {flight, false};
    flights.push_back(std::make_shared<Flight>(io_, view, guard));
    return {flights.back(), true};
  }

  // The result; null when the fetch was lost without one. Leaving early (cancellation, exception) counts the waiter
  // out.
  asio::awaitable<std::shared_ptr<const Result>> wait(FlightPtr flight) {
    struct Seat {
      FlightPtr flight;
      explicit Seat(FlightPtr f) : flight(std::move(f)) { ++flight->waiters_; }
      ~Seat() {
        if (--flight->waiters_ > 0 || flight->result_) return;
        flight->abandoned_ = true;
        flight->cancel_.emit(asio::cancellation_type::terminal);
      }
      Seat(const Seat&) = delete;
      Seat& operator=(const Seat&) = delete;
    } seat(flight);
    if (flight->landed_.expiry() == asio::steady_timer::time_point::max()) {
      asio::error_code ignored;
      co_await flight->landed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return flight->result_;
  }

  void land(const std::string& key, const FlightPtr& flight, std::shared_ptr<const Result> result) {
    flight->result_ = std::move(result);
    flight->landed_.expires_at(asio::steady_timer::time_point::min());
    auto found = flights_.find(key);
    if (found == flights_.end()) return;
    std::erase(found->second, flight);
    if (found->second.empty()) flights_.erase(found);
  }

  std::size_t size() const { return flights_.size(); }

 private:
  asio::io_context& io_;
  std::unordered_map<std::string, std::vector<FlightPtr>> flights_;
};

}  // namespace gateway::cache
