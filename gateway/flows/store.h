// Runs of flows in Redis: taken, owned by one replica at a time, noted step by step, parked, buried, finished. Asio
// thread only. Every call says whether Redis did it: what is `Unavailable` may have been done all the same.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/flows/scripts.h"
#include "gateway/redis/client.h"
#include "policies/timestamp.h"

namespace gateway::flows {

// What starts runs.
struct Event {
  std::string id;        // the same for a repeat: it is taken once
  std::string kind;      // "event", "lead", "every"
  std::string type;      // an event's: "ContactCreate"
  std::string source;    // a lead's
  std::string location;  // empty: not known
  policies::WallMillis at{0};
  std::string body;
  bool proves = false;  // a lead's, of a client that may use some locations only
};
struct NewRun {
  std::string id;
  std::string flow;
  std::string order;  // those of the same order are made one after another; empty: in none
};

struct Run {
  std::string id, flow;
  Event event;
  int tries = 0;
  int round = 0;                             // how often an operator had it tried again
  std::map<std::string, std::string> steps;  // as scripts.h has them
};
inline constexpr std::string_view kSent = "?", kSettled = "!";

// An entry of the queue that this replica was given.
struct Taken {
  std::string entry, run;
};

enum class Kept { Yes, Lost, Unavailable };  // Lost: the entry is another replica's now
enum class Enqueued { New, Before, Different, Unavailable };

struct Counts {
  std::int64_t queued = 0, due = 0, dead = 0;
  std::chrono::milliseconds oldest{0};
};

struct DeadLetter {
  std::string run, since_ms, flow, event, step, field, reason, tries;
};
struct DeadReason {
  std::string step, field, reason, detail;
};

class Store {
 public:
  // `reader`: a connection that may block, for take() alone, which waits there for `block` at most.
  Store(redis::Client& client, redis::Client& reader, std::string consumer,
        std::chrono::milliseconds block = std::chrono::seconds(1));

  asio::awaitable<Enqueued> enqueue(Event event, std::vector<NewRun> runs, std::string fingerprint);
  // 1 queued, 0 it had its run, 2 its last run is not over; nothing: Redis is away.
  asio::awaitable<std::optional<std::int64_t>> tick(std::string flow, policies::WallMillis slot, std::string run,
                                                    policies::WallMillis now, std::string body);

  // Waits for entries; nothing where Redis is away.
  asio::awaitable<std::optional<std::vector<Taken>>> take(std::size_t most);
  // Entries whose owner has not renewed them for `idle`.
  asio::awaitable<std::vector<Taken>> claim(std::size_t most, std::chrono::milliseconds idle);
  asio::awaitable<std::optional<std::vector<bool>>> renew(std::vector<std::string> entries);
  asio::awaitable<void> release(std::vector<std::string> entries);
  asio::awaitable<std::variant<Run, Kept>> load(std::string run);  // Lost: there is no such run

  // One more replica did not end it; how many by now, 0 where Redis is away.
  asio::awaitable<std::int64_t> count_claim(std::string run);

  asio::awaitable<Kept> note(Taken taken, std::string step, std::string value);
  asio::awaitable<Kept> finish(Taken taken);
  struct Park {
    std::chrono::milliseconds delay{0};
    bool counted = true;
    std::string step, value, reason;
  };
  asio::awaitable<Kept> park(Taken taken, Park how);
  asio::awaitable<Kept> bury(Taken taken, DeadReason why);

  asio::awaitable<void> wake();
  asio::awaitable<void> tidy();
  asio::awaitable<std::optional<Counts>> count();
  // Why what was acknowledged might not last in this Redis, in words; empty where it does, nothing where it is away.
  asio::awaitable<std::optional<std::string>> doubt();

  // For an operator; nothing where Redis is away.
  asio::awaitable<std::optional<std::vector<DeadLetter>>> letters(std::size_t most);
  asio::awaitable<std::optional<std::map<std::string, std::string>>> letter(std::string run);  // empty: none such
  asio::awaitable<std::optional<std::int64_t>> retry(std::string run);                         // empty: all
  asio::awaitable<std::optional<std::int64_t>> drop(std::string run);

  std::uint64_t dropped_letters() const { return dropped_; }

 private:
  asio::awaitable<std::optional<redis::Value>> run(scripts::ScriptPtr script, std::vector<std::string> arguments);
  asio::awaitable<std::optional<std::int64_t>> number(scripts::ScriptPtr script, std::vector<std::string> arguments);
  asio::awaitable<Kept> owned(scripts::ScriptPtr script, std::vector<std::string> arguments);
  asio::awaitable<void> make_group();
  asio::awaitable<std::optional<std::int64_t>> of_letters(scripts::ScriptPtr script, std::string run);

  redis::Client& client_;
  redis::Client& reader_;
  std::string consumer_;
  std::chrono::milliseconds block_;
  std::string cursor_ = "0-0";
  std::uint64_t dropped_ = 0;
};

}  // namespace gateway::flows
