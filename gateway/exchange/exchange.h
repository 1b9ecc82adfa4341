// The life of one request behind the worker, as coroutines on the Asio thread (README, "Life of a request"). A read:
// shared tier -> join a flight under way -> upstream -> store -> answer. A write: fence -> upstream -> unfence ->
// answer; it is never cancelled. Everything here runs on the io_context's one thread but hand_over() and refresh(),
// which any thread may call. Outlives every coroutine it starts.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "gateway/access/client_names.h"
#include "gateway/cache/flights.h"
#include "gateway/cache/memory_tier.h"
#include "gateway/cache/shared_tier.h"
#include "gateway/cache/writes.h"
#include "gateway/exchange/attempts.h"
#include "gateway/exchange/entry.h"
#include "gateway/exchange/report.h"
#include "gateway/exchange/request.h"
#include "gateway/exchange/vary_names.h"
#include "gateway/idempotency/claims.h"
#include "policies/cache_status.h"

namespace gateway::exchange {

struct ExchangeParts {
  asio::io_context& io;
  std::shared_ptr<const config::Settings> settings;
  cache::MemoryTier& memory;
  cache::Fence& fence;
  cache::SharedTier& tier;
  cache::Writes& writes;
  Attempts& attempts;
  idempotency::Claims& claims;
  const access::ClientNames& client_names;
  VaryNames& vary_names;
  const Reporter& reporter;
  const policies::Catalogue& catalogue;
  std::vector<policies::Times> times;  // by operation: the catalogue's, with the operator's own
};

class Exchange {
 public:
  explicit Exchange(ExchangeParts parts) : parts_(std::move(parts)), flights_(parts_.io) {}

  void hand_over(std::shared_ptr<Request> request);
  // A stale answer was served from memory: fetches a new one, once, in the background. `request` answers nobody.
  void refresh(std::shared_ptr<Request> request);
  // A request of the gateway's own, on the Asio thread: the same road, and the answer comes back. It answers refusals
  // as problem responses. Cancelling it leaves as a client that hangs up does; do not cancel a write.
  asio::awaitable<server::Response> call(std::shared_ptr<Request> request);
  limiter::Budget budget(const std::string& location) const { return parts_.attempts.budget(location); }
  // Of each request with `to_prove`, before anything else: what it is refused with.
  using Prove = std::function<asio::awaitable<std::optional<server::Response>>(const Request&)>;
  void prove_by(Prove prove) { prove_ = std::move(prove); }                                // before the first request
  void set_times(std::vector<policies::Times> times) { parts_.times = std::move(times); }  // Asio thread

 private:
  // What a flight brings to all who wait for it.
  struct Fetched {
    std::shared_ptr<const cache::Entry> entry;  // where it may be kept
    server::Response response;
    std::optional<Refused> refused;
    bool sent = false;  // something left for upstream
    bool stored = false;
    bool revalidated = false;
    bool from_other_replica = false;
    int upstream_status = 0;
    std::string variant;  // the values of the fields that the answer varies on
    std::chrono::milliseconds waited{0};
  };
  using Flights = cache::Flights<Fetched, Request>;
  // A lookup's right to fetch, given up again where nobody flies: another replica may be waiting for it.
  struct Claim {
    Exchange& exchange;
    std::string key;
    bool held = false;
    Claim(Exchange& to, std::string of, bool claimed) : exchange(to), key(std::move(of)), held(claimed) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() { give_up(); }
    void give_up();
  };
  // What a fetch came to, and what the shared tier is given of it.
  struct Arrival {
    std::shared_ptr<const Fetched> fetched;
    std::shared_ptr<const cache::StoredEntry> stored;
  };
  struct Answer {
    server::Response response;
    policies::CacheStatus status;
    std::optional<std::chrono::milliseconds> age;
    metrics::CacheResult result = metrics::CacheResult::Bypass;
    metrics::Tier tier = metrics::Tier::None;
    std::string_view refusal;
    std::chrono::milliseconds waited{0};
  };
  using EntryPtr = std::shared_ptr<const cache::Entry>;
  using RequestPtr = std::shared_ptr<Request>;
  using SteadyClock = std::chrono::steady_clock;

  // A read's first lookup, made before its coroutine begins: an answer out of the shared tier needs none.
  struct Looked {
    cache::Guard guard;
    cache::Found found;
    EntryPtr candidate;
  };
  using LookedPtr = std::shared_ptr<Looked>;
  bool look_up_first(const RequestPtr& request);
  void looked_up(const RequestPtr& request, cache::Guard guard, cache::Found found);
  bool serve_stored(const RequestPtr& request, const Looked& looked);
  void spawn(const RequestPtr& request, LookedPtr looked);

  asio::awaitable<void> serve(RequestPtr request, LookedPtr looked);
  asio::awaitable<Answer> answer(RequestPtr request, LookedPtr looked);
  asio::awaitable<Answer> read(RequestPtr request, LookedPtr looked);
  asio::awaitable<Answer> write(RequestPtr request);
  asio::awaitable<Answer> keyed_write(RequestPtr request);  // with an Idempotency-Key
  asio::awaitable<Answer> fenced_write(RequestPtr request);
  asio::awaitable<Answer> bypass(RequestPtr request);
  asio::awaitable<void> refresh_once(RequestPtr request);

  asio::awaitable<cache::Found> look_up(RequestPtr request);
  asio::awaitable<std::shared_ptr<cache::Writes::Ticket>> begin_write(RequestPtr request);
  tracing::Scope redis_span(const Request& request, std::string_view step) const;

  void take_off(RequestPtr request, Flights::FlightPtr flight, cache::Found found, EntryPtr candidate);
  struct Landing;
  asio::awaitable<void> fly(RequestPtr request, Flights::FlightPtr flight, cache::Found found, EntryPtr candidate);
  static std::shared_ptr<const Fetched> fetched_elsewhere(const Request& request, const EntryPtr& entry);
  SteadyClock::time_point patience_of(const Request& request) const;
  asio::awaitable<Arrival> fetch(RequestPtr request, cache::Guard guard, cache::Found found,
                                 std::chrono::milliseconds looked_up, EntryPtr candidate);

  EntryPtr candidate_of(const Request& request, cache::Found& found, const cache::Guard& guard);
  std::optional<Answer> from_cache(const RequestPtr& request, const EntryPtr& entry, metrics::Tier tier);
  bool may_stand_in(const Request& request, const EntryPtr& entry, const Fetched& fetched) const;
  Answer answer_of(const Request& request, const EntryPtr& entry, metrics::CacheResult result,
                   std::string_view detail) const;
  static Answer answer_of(const Request& request, const Fetched& fetched, bool shared, policies::Forward why);
  static policies::Forward why_forwarded(const Request& request, const EntryPtr& candidate);
  asio::awaitable<Attempted> keyed_attempts(RequestPtr request);
  asio::awaitable<Attempted> certain_attempts(RequestPtr request);
  // Of a creation whose outcome is not known: whether the contact is there.
  struct Settled {
    enum class What { Found, NotApplied, Open } what = What::Open;
    upstream::Response response;                           // of Found: the contact, answered as its creation
    std::optional<std::chrono::milliseconds> retry_after;  // of Open: then it can be told
  };
  asio::awaitable<Settled> settle_doubt(RequestPtr request, std::chrono::steady_clock::time_point sent_at,
                                        bool owner_died);
  asio::awaitable<Settled> look_for(RequestPtr request, std::string target,
                                    std::chrono::steady_clock::time_point sent_at);
  static std::optional<std::string> duplicate_search(const Request& request);
  static Answer replayed(idempotency::Answer kept);
  static Answer passed_on(Attempted attempted);
  static Answer refused(const Refused& why, policies::Forward forward = policies::Forward::None);
  static Answer not_proven(server::Response response);
  std::vector<cache::Writes::Key> write_keys(const Request& request, std::vector<std::string> names) const;
  void complete(const Request& request, Answer& answer) const;  // the fields that the gateway adds

  ExchangeParts parts_;
  Prove prove_;
  Flights flights_;
  std::unordered_set<std::string> refreshing_;
};

}  // namespace gateway::exchange
