// What is wrong, in words for the person on call: findings drawn from a few signs, each with what it means for callers
// and what to do; and a timeline of them, so that what has passed is still told. Pure: the time comes in as an
// argument. No finding holds more than names that the operator gave (locations, clients' names are left out).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace policies {

struct LocationSigns {
  std::string name;
  std::uint64_t limit = 0, remaining = 0;  // of the sliding window
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds until_more{0};
  std::size_t waiting = 0;
  std::uint64_t daily_limit = 0, daily_remaining = 0;  // limit 0: none
  std::chrono::milliseconds paused{0};                 // after the upstream's 429
};

struct TokenSigns {
  std::string name;
  std::chrono::seconds left{0};  // of the access token; negative: over
};

// Counts of the last ten seconds.
struct RecentSigns {
  std::uint64_t requests = 0, server_errors = 0;
  std::uint64_t upstream = 0, upstream_failed = 0, upstream_limited = 0;
  std::uint64_t unfenced = 0, memory_refusals = 0, spans_dropped = 0, log_lines_dropped = 0, settings_refused = 0;
  std::map<std::string, std::uint64_t> rejections;  // by reason
  std::map<std::string, std::uint64_t> refreshes;   // of tokens, by result
};

struct Signs {
  bool ending = false;
  bool over_memory = false;
  std::optional<bool> redis_up;  // nothing: none is configured
  bool refuses_writes = false;   // cache.on_redis_loss
  std::vector<LocationSigns> locations;
  std::vector<std::string> open_circuits;  // by location
  std::vector<TokenSigns> tokens;
  std::vector<std::string> token_troubles;  // sentences: a grant that was revoked, a store that cannot be used
  RecentSigns recent;
};

enum class Severity : std::uint8_t { Notice, Warning, Trouble };
std::string_view to_string(Severity severity);  // "notice", "warning", "trouble"

struct Finding {
  std::string code;     // "redis-away"; with `subject` it names this finding from one look to the next
  std::string subject;  // a location, or empty
  Severity severity = Severity::Notice;
  std::string title;   // a few words
  std::string what;    // what happens, and to whom
  std::string advice;  // what to do
};

// Worst first. Of findings that are about single locations the first three of a code have their own; the rest are one.
std::vector<Finding> diagnose(const Signs& signs);

// A location's name as people read it: the budget of a token for all locations has none of its own.
std::string location_words(std::string_view name);

// A finding with when it was first and last seen.
struct Incident {
  Finding finding;
  std::chrono::seconds since{0};                // Unix time
  std::optional<std::chrono::seconds> until{};  // nothing: it goes on
};

class Timeline {
 public:
  static constexpr std::size_t kKept = 50;
  static constexpr std::chrono::seconds kPause{3};  // what comes back within it had not gone

  void observe(std::vector<Finding> findings, std::chrono::seconds now);
  // Those that go on, in the order of the last look.
  const std::vector<Incident>& current() const { return current_; }
  // Those that are over, the last one first.
  const std::deque<Incident>& past() const { return past_; }

 private:
  std::vector<Incident> current_;
  std::vector<Incident> leaving_;  // not seen any more, for less than kPause
  std::deque<Incident> past_;
};

}  // namespace policies
