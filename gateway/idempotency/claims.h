// The Idempotency-Keys that this process works on: claims, their leases, and what must be kept about each before and
// after it goes upstream (policies/idempotency.h says in which order). Asio thread only. Outlives its store's
// io_context work, not the io_context.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "gateway/cache/stored_entry.h"
#include "gateway/idempotency/store.h"

namespace gateway::idempotency {

using Answer = cache::StoredEntry;  // status, fields and body as upstream sent them

// What makes two requests equal, and whose keys are whose: two clients' equal keys are two keys.
struct Named {
  std::string key;    // as the client wrote it
  std::string scope;  // the client's name, or the gateway itself
  std::string method, target, location, version;
  std::shared_ptr<const std::string> body;  // null: none
};

class Claims;

// A key that is this request's to work on. Dropped without a word, it is released where nothing was sent and left in
// doubt where something was.
class Held {
 public:
  Held(std::shared_ptr<Claims> claims, Speaker speaker, Claimed claimed);
  ~Held();
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // An earlier owner may have sent it, so long ago, and nobody knows what came of it.
  bool doubtful() const { return phase_ == policies::IdempotencyPhase::Sent; }
  std::chrono::milliseconds since_sent() const { return since_sent_; }
  // An earlier owner left its answer.
  const std::optional<Answer>& learned() const { return learned_; }

  // False: it must not be sent. Somebody else has the key by now, or nobody can be told.
  asio::awaitable<bool> about_to_send();
  asio::awaitable<void> not_applied();         // what was sent surely had no effect
  asio::awaitable<void> learn(Answer answer);  // the outcome: what repeats will get
  // The last word: repeats get the answer that was learnt; where none was, the key is free again if nothing that was
  // sent can have had an effect, else in doubt.
  asio::awaitable<void> conclude();

 private:
  policies::IdempotencyStep last_step() const;

  std::shared_ptr<Claims> claims_;
  Speaker speaker_;
  policies::IdempotencyPhase phase_ = policies::IdempotencyPhase::UnderWay;
  std::chrono::milliseconds since_sent_{0};
  std::optional<Answer> learned_;
  std::string encoded_;
  bool closed_ = false;
  std::list<Speaker>::iterator lease_;
};

struct Mismatch {};     // the key was used for another request
struct InProgress {};   // still, at the deadline
struct Unavailable {};  // the store did not answer: nothing is known about the key
using ClaimResult = std::variant<std::shared_ptr<Held>, Answer, Mismatch, InProgress, Unavailable>;

class Claims : public std::enable_shared_from_this<Claims> {
 public:
  Claims(asio::io_context& io, std::unique_ptr<Store> store, std::function<void(std::string_view result)> count);

  void start();  // renews leases until stop()
  void stop();

  // Waits for a first request under way, until `deadline`; takes over where its owner died.
  asio::awaitable<ClaimResult> claim(Named named, std::chrono::steady_clock::time_point deadline);
  void count(std::string_view result) const { count_(result); }

 private:
  friend class Held;
  // What must not be lost because Redis is away for a moment: said again until there is a reply.
  struct Unsaid {
    Speaker speaker;
    policies::IdempotencyStep step;
    std::string answer;
  };
  asio::awaitable<std::optional<bool>> say(Speaker speaker, policies::IdempotencyStep step, std::string answer,
                                           std::chrono::milliseconds patience);
  void say_later(Unsaid unsaid);
  asio::awaitable<void> renew();
  asio::awaitable<void> repeat_unsaid();

  asio::io_context& io_;
  std::unique_ptr<Store> store_;
  std::function<void(std::string_view)> count_;
  asio::steady_timer beat_;
  std::list<Speaker> leases_;
  std::list<Unsaid> unsaid_;
  bool stopped_ = false;
};

}  // namespace gateway::idempotency
