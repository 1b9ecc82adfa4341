// The limiter's inside: the locations, their pumps and the clients' own rates.
#pragma once

#include <asio/io_context.hpp>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "gateway/limiter/limiter.h"
#include "gateway/limiter/location.h"
#include "gateway/limiter/store.h"
#include "policies/client_rate.h"

namespace gateway::limiter {

class Ahead {
 public:
  Ahead(std::shared_ptr<Limiter::Impl> limiter, std::shared_ptr<Location> location, std::shared_ptr<Waiting> waiter,
        std::uint64_t number)
      : self(std::move(limiter)), where(std::move(location)), waiting(std::move(waiter)), id(number) {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead();

  const std::shared_ptr<Limiter::Impl> self;
  const std::shared_ptr<Location> where;
  const std::shared_ptr<Waiting> waiting;
  const std::uint64_t id;
  std::uint64_t flight = 0;
};

class Limiter::Impl : public PermitReturn, public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Options options, std::unique_ptr<Store> store);

  void start();
  void reconfigure(Options options);
  void stop();
  static asio::awaitable<PermitOrRefusal> acquire(std::shared_ptr<Impl> self, PermitRequest request);
  std::optional<Refusal> refusal(const PermitRequest& request);
  std::shared_ptr<Ahead> ask_ahead(const PermitRequest& request);
  void improve(const std::string& location, std::uint64_t flight, int urgency, Duration max_wait);
  Duration observe(const std::string& location, int status, const policies::Fields& fields);
  void give_back(const std::string& location, std::uint64_t id, Duration held, bool sent) override;
  Budget budget(const std::string& location) const;
  Budget budget(Location& location) const;
  std::vector<LocationState> snapshot() const;

 private:
  void set_client_rates(const std::vector<double>& rates);

  using Shared = std::shared_ptr<Location>;

  Shared location(const std::string& name);
  Duration wait_of(const PermitRequest& request) const;  // at most
  std::optional<Refusal> refusal_at_once(Location& location, const PermitRequest& request, Duration max_wait,
                                         Instant at);
  // The reference is not used after its first wait: a reload may have replaced the rates by then.
  asio::awaitable<std::optional<Refusal>> own_rate(policies::ClientRate& rate, Instant deadline);
  std::shared_ptr<Ahead> join(const Shared& location, const PermitRequest& request, Instant since, Instant deadline);
  asio::awaitable<PermitOrRefusal> wait(Shared location, PermitRequest request, Instant deadline);

  // The pump of a location: gathers reports and asks, makes steps, hands permits out; again whenever there may be
  // anything to do.
  void kick(const Shared& location);
  void wake_at(const Shared& location, Instant turn);
  Step compose(Location& location, Instant at);
  void distribute(Location& location, const Step& step, const StepResult& result, Instant at);
  void hand_out(Location& location, std::uint64_t permit, std::uint64_t used,
                Instant at);  // `used`: of the day, this one included
  void refuse_beyond_quota(Location& location, Instant at);
  void refuse_in_vain(Location& location, Instant at);
  void settle(Location& location, std::uint64_t waiter);                         // its coroutine is told
  std::optional<Instant> next_turn(const Location& location, Instant at) const;  // nothing: no reason to run on

  asio::awaitable<void> sweep();

  asio::io_context& io_;
  Options options_;
  std::unique_ptr<Store> store_;
  std::unordered_map<std::string, Shared> locations_;
  std::unordered_map<std::uint32_t, policies::ClientRate> clients_;
  std::uint64_t ids_ = 0;
  std::mt19937_64 random_{std::random_device{}()};
  asio::steady_timer sweep_timer_;
  bool stopped_ = false;
};

}  // namespace gateway::limiter
