#include "policies/diagnosis.h"

#include <algorithm>
#include <utility>

namespace policies {

namespace {

using Findings = std::vector<Finding>;
using std::chrono::milliseconds;

constexpr std::size_t kSingles = 3;

std::string count_of(std::uint64_t n, std::string_view one, std::string_view many) {
  return std::to_string(n).append(" ").append(n == 1 ? one : many);
}

std::string requests(std::uint64_t n) { return count_of(n, "request", "requests"); }

std::string duration(milliseconds time) {
  const auto seconds = (std::max(time, milliseconds{0}).count() + 999) / 1000;
  if (seconds < 120) return count_of(static_cast<std::uint64_t>(seconds), "second", "seconds");
  if (seconds < 7200) return count_of(static_cast<std::uint64_t>(seconds / 60), "minute", "minutes");
  return count_of(static_cast<std::uint64_t>(seconds / 3600), "hour", "hours");
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  const auto share = whole == 0 ? 0 : part * 100 / whole;
  return share == 0 && part > 0 ? "less than 1 %" : std::to_string(share) + " %";
}

void about_process(const Signs& signs, Findings& findings) {
  if (signs.ending)
    findings.push_back({"ending", "", Severity::Notice, "This process is ending",
                        "It takes no new connections; requests under way are finished.",
                        "Nothing, if a restart or a rollout was meant. Load balancers see it from /readyz."});
  if (signs.over_memory)
    findings.push_back(
        {"memory-limit", "", Severity::Trouble, "The memory limit is reached",
         "The process uses more than server.memory_limit. Requests that memory cannot answer get 503 until it is "
         "under nine tenths of it.",
         "Lower cache.memory_bytes, or raise server.memory_limit and the container's own limit with it."});
  if (signs.recent.log_lines_dropped > 0)
    findings.push_back({"log-dropped", "", Severity::Notice, "Log lines were dropped",
                        "Standard error is read more slowly than it is written; the oldest lines were left out.",
                        "Set log.requests to errors, or look at what reads this process' standard error."});
  if (signs.recent.spans_dropped > 0)
    findings.push_back({"spans-dropped", "", Severity::Notice, "Trace spans were dropped",
                        "The collector of tracing.otlp is away or slower than the spans come. No request is held up.",
                        "Look at the collector; gateway_trace_spans_total counts what was lost."});
  if (signs.recent.settings_refused > 0)
    findings.push_back({"settings-refused", "", Severity::Warning, "New settings were refused",
                        "The settings in force are still the old ones.",
                        "The log says what is wrong (settings_refused). Mend it and send SIGHUP again."});
}

void about_redis(const Signs& signs, Findings& findings) {
  if (signs.redis_up == false)
    findings.push_back(
        {"redis-away", "", Severity::Trouble, "Redis cannot be reached",
         signs.refuses_writes ? "Reads go upstream and spend the budget. Writes are refused with 503, as "
                                "cache.on_redis_loss says."
                              : "Reads go upstream and spend the budget. Each write waits 3 seconds longer, and other "
                                "replicas may miss it until Redis is back.",
         "Is Redis running and reachable? `contacts-gateway check --connect` tries redis.url step by step."});
  if (signs.recent.unfenced > 0)
    findings.push_back({"unfenced-writes", "", Severity::Warning, "Writes went upstream unfenced",
                        requests(signs.recent.unfenced) +
                            " in the last 10 seconds could not tell the other replicas beforehand: those may answer "
                            "from before the write until Redis is back.",
                        "Bring Redis back. Where that matters more than writing, set cache.on_redis_loss to "
                        "refuse-writes."});
}

void about_upstream(const Signs& signs, Findings& findings) {
  const auto& recent = signs.recent;
  constexpr std::uint64_t kEnough = 5;
  if (recent.upstream >= kEnough && recent.upstream_failed * 5 >= recent.upstream)
    findings.push_back({"upstream-failing", "", Severity::Trouble, "The upstream is failing",
                        std::to_string(recent.upstream_failed) + " of " + requests(recent.upstream) +
                            " to it failed in the last 10 seconds. Reads are answered from the cache where an entry "
                            "may still be used; the others fail.",
                        "Look at the upstream's status page and at this machine's way out. The log's `request` lines "
                        "say how they failed."});
  if (recent.upstream_limited > 0)
    findings.push_back({"upstream-limited", "", Severity::Warning, "The upstream refused requests as too many",
                        requests(recent.upstream_limited) +
                            " got 429 from it in the last 10 seconds. Something else spends the same budget, or "
                            "rate_limit.requests is above what the upstream grants.",
                        "Find what else uses this app's token, or lower rate_limit.requests."});
  if (recent.requests >= kEnough && recent.server_errors * 100 >= recent.requests && recent.server_errors >= 2)
    findings.push_back({"errors", "", Severity::Warning, "Callers get errors",
                        percent(recent.server_errors, recent.requests) + " of the answers of the last 10 seconds (" +
                            std::to_string(recent.server_errors) + " of " + std::to_string(recent.requests) +
                            ") were 5xx.",
                        "The operations below show which ones; each answer's Proxy-Status field says why."});
}

void about_rejections(const Signs& signs, Findings& findings) {
  struct Reason {
    std::string_view reason, title, what, advice;
  };
  constexpr Reason kReasons[] = {
      {"queue-full", "A queue is full", "more would have waited than rate_limit.queue allows.",
       "Callers send more than the budget carries: spread the work, or raise rate_limit.queue and let them wait."},
      {"wait-too-long", "Requests are refused instead of waiting",
       "the wait for a permit would have been longer than they may wait.",
       "Callers send more than the budget carries: spread the work over time, cache longer, or raise "
       "rate_limit.max_wait."},
      {"deadline", "Requests waited in vain", "no permit came within the time they may wait.",
       "Callers send more than the budget carries: spread the work over time, cache longer, or raise "
       "rate_limit.max_wait."},
      {"daily-quota", "The daily quota refuses requests", "the day's requests are used up, or kept for urgent ones.",
       "It ends with the upstream's day. Cache longer, or ask the vendor for more."},
      {"client-rate", "A client is over its own rate", "a client asked more often than its `rate` allows.",
       "The log's `request` lines name the client. Raise clients[].rate if it should be let through."},
  };
  for (const Reason& each : kReasons) {
    const auto found = signs.recent.rejections.find(std::string(each.reason));
    if (found == signs.recent.rejections.end() || found->second == 0) continue;
    findings.push_back({"refused-" + std::string(each.reason), "", Severity::Trouble, std::string(each.title),
                        requests(found->second) + " got 429 in the last 10 seconds: " + std::string(each.what),
                        std::string(each.advice)});
  }
}

std::string waiting_words(const LocationSigns& location) {
  if (location.waiting == 0) return "Nobody waits yet.";
  return requests(location.waiting) + (location.waiting == 1 ? " waits" : " wait") + " for a permit.";
}

Finding budget_spent(const LocationSigns& location) {
  return {"budget-spent",
          location.name,
          location.waiting > 0 ? Severity::Warning : Severity::Notice,
          "The budget of " + location_words(location.name) + " is spent",
          "All " + std::to_string(location.limit) + " requests of " + duration(location.interval) +
              " are used; the next one is free in " + duration(location.until_more) + ". " + waiting_words(location),
          "Nothing, if it passes: requests wait their turn. If it stays, let answers be cached longer "
          "(cache.operations), or let background work ask with a lower urgency (Priority: u=7)."};
}

Finding paused(const LocationSigns& location) {
  return {
      "paused",
      location.name,
      Severity::Warning,
      location_words(location.name) + " is paused",
      "The upstream answered 429, so nothing is sent for " + duration(location.paused) + ". " + waiting_words(location),
      "Find what else spends this location's budget, or lower rate_limit.requests."};
}

Finding day_low(const LocationSigns& location) {
  const bool over = location.daily_remaining == 0;
  return {"daily-quota",
          location.name,
          over ? Severity::Trouble : Severity::Warning,
          over ? "The day's requests of " + location_words(location.name) + " are used up"
               : "The day's requests of " + location_words(location.name) + " run out",
          std::to_string(location.daily_remaining) + " of " + std::to_string(location.daily_limit) + " are left (" +
              percent(location.daily_remaining, location.daily_limit) + ").",
          "Cache longer, move bulk work to another day, or ask the vendor for more. What is left is kept for urgent "
          "requests (rate_limit.daily_reserve)."};
}

// The rest of a code's locations as one finding, so that a thousand spent budgets are not a thousand lines.
void add_limited(Findings& findings, Findings of_one_code, std::string_view what_they_are) {
  const std::size_t singles = of_one_code.size() <= kSingles + 1 ? of_one_code.size() : kSingles;
  for (std::size_t i = 0; i < singles; ++i) findings.push_back(std::move(of_one_code[i]));
  if (singles == of_one_code.size()) return;
  Finding rest = std::move(of_one_code[singles]);
  rest.subject = "others";
  rest.title = std::to_string(of_one_code.size() - singles) + " more locations";
  rest.what = std::string(what_they_are) + " The table below shows each.";
  findings.push_back(std::move(rest));
}

void about_locations(const Signs& signs, Findings& findings) {
  Findings spent, waiting, low;
  for (const auto& location : signs.locations) {
    if (location.paused.count() > 0)
      waiting.push_back(paused(location));
    else if (location.limit > 0 && location.remaining == 0)
      spent.push_back(budget_spent(location));
    if (location.daily_limit > 0 && location.daily_remaining * 20 < location.daily_limit)
      low.push_back(day_low(location));
  }
  add_limited(findings, std::move(waiting), "They are paused after a 429 of the upstream.");
  add_limited(findings, std::move(spent), "Their budgets are spent too.");
  add_limited(findings, std::move(low), "Their daily quotas run out too.");
  Findings open;
  for (const auto& name : signs.open_circuits)
    open.push_back({"circuit-open", name, Severity::Trouble, "The circuit of " + location_words(name) + " is open",
                    "The upstream failed so often for it that requests are refused with 503 at once, but for a probe "
                    "now and then.",
                    "It closes by itself when a probe succeeds. Look at the upstream and at the way to it."});
  add_limited(findings, std::move(open), "Their circuits are open too.");
}

void about_tokens(const Signs& signs, Findings& findings) {
  Findings troubled, ending;
  for (const auto& trouble : signs.token_troubles)
    troubled.push_back({"token-trouble", trouble, Severity::Trouble, "A credential needs you", trouble,
                        "Where a grant was revoked, let the account's owner install the app again: `contacts-gateway "
                        "authorize`. /readyz lists every credential in trouble."});
  for (const auto& token : signs.tokens) {
    const bool over = token.left.count() <= 0;
    if (token.left < std::chrono::minutes{5})
      ending.push_back({"token-ending", token.name, over ? Severity::Trouble : Severity::Warning,
                        "The token of " + location_words(token.name) + (over ? " is over" : " is about to end"),
                        over ? "It was not renewed in time: its requests fail."
                             : "It ends in " + duration(token.left) + " and was not renewed yet.",
                        "Look for failing renewals in gateway_token_refreshes_total and in the log, and whether the "
                        "upstream can be reached."});
  }
  add_limited(findings, std::move(troubled), "Their credentials are in trouble too.");
  add_limited(findings, std::move(ending), "Their tokens end too.");
}

bool same(const Finding& a, const Finding& b) { return a.code == b.code && a.subject == b.subject; }

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::Notice:
      return "notice";
    case Severity::Warning:
      return "warning";
    case Severity::Trouble:
      return "trouble";
  }
  return "notice";
}

std::string location_words(std::string_view name) {
  if (name == "default") return "all locations";
  if (name == "other") return "the other locations";
  return std::string(name);
}

std::vector<Finding> diagnose(const Signs& signs) {
  Findings findings;
  about_process(signs, findings);
  about_redis(signs, findings);
  about_upstream(signs, findings);
  about_rejections(signs, findings);
  about_locations(signs, findings);
  about_tokens(signs, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return findings;
}

void Timeline::observe(std::vector<Finding> findings, std::chrono::seconds now) {
  std::vector<Incident> before = std::exchange(current_, {});
  before.insert(before.end(), std::make_move_iterator(leaving_.begin()), std::make_move_iterator(leaving_.end()));
  leaving_.clear();
  for (auto& finding : findings) {
    const auto known =
        std::find_if(before.begin(), before.end(), [&](const Incident& each) { return same(each.finding, finding); });
    const auto since = known == before.end() ? now : known->since;
    if (known != before.end()) before.erase(known);
    current_.push_back({std::move(finding), since, std::nullopt});
  }
  for (auto& gone : before) {
    if (!gone.until) gone.until = now;
    if (now - *gone.until < kPause)
      leaving_.push_back(std::move(gone));
    else
      past_.push_front(std::move(gone));
  }
  if (past_.size() > kKept) past_.resize(kKept);
}

}  // namespace policies
