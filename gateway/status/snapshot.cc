#include "gateway/status/snapshot.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "gateway/metrics/families.h"

namespace gateway::status {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// A thin pen over RapidJSON: members by name, and numbers as short as they are.
class Pen {
 public:
  template <typename Fill>
  static std::string object(Fill fill) {
    Pen pen;
    pen.json_.StartObject();
    fill(pen);
    pen.json_.EndObject();
    return {pen.buffer_.GetString(), pen.buffer_.GetSize()};
  }
  template <typename Fill>
  void object(const char* name, Fill fill) {
    json_.Key(name), json_.StartObject();
    fill();
    json_.EndObject();
  }
  template <typename Items, typename Each>
  void array(const char* name, const Items& items, Each each) {
    json_.Key(name), json_.StartArray();
    for (const auto& item : items) each(item);
    json_.EndArray();
  }
  template <typename Fill>
  void element(Fill fill) {
    json_.StartObject();
    fill();
    json_.EndObject();
  }
  void text(const char* name, std::string_view value) {
    json_.Key(name), json_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void number(const char* name, std::uint64_t value) { json_.Key(name), json_.Uint64(value); }
  void signed_number(const char* name, std::int64_t value) { json_.Key(name), json_.Int64(value); }
  void real(const char* name, double value) { json_.Key(name), json_.Double(value); }
  void flag(const char* name, bool value) { json_.Key(name), json_.Bool(value); }
  void micros(const char* name, std::optional<nanoseconds> time) {
    json_.Key(name);
    micros(time);
  }
  void micros(std::optional<nanoseconds> time) {
    time ? json_.Int64(std::chrono::duration_cast<std::chrono::microseconds>(*time).count()) : json_.Null();
  }
  // In the order that page.js reads them.
  void point(const Point& p) {
    json_.StartArray();
    json_.Int64(p.time.count());
    json_.Double(p.seconds);
    for (const auto count : {p.requests, p.errors, p.limited, p.from_cache, p.cacheable, p.upstream, p.saved})
      json_.Uint64(count);
    micros(p.p50), micros(p.p99);
    json_.Uint64(p.waiting);
    json_.EndArray();
  }

 private:
  Pen() { json_.SetMaxDecimalPlaces(3); }
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{buffer_};
};

void minute(Pen& pen, const History::Span& span) {
  const auto& counted = span.counted;
  pen.object("minute", [&] {
    pen.real("seconds", span.seconds);
    pen.number("requests", counted.requests);
    pen.number("client_errors", counted.client_errors);
    pen.number("limited", counted.limited);
    pen.number("server_errors", counted.server_errors);
    pen.number("from_cache", from_cache(counted.results));
    pen.number("cacheable", cacheable(counted.results));
    pen.number("upstream", counted.upstream);
    pen.number("upstream_failed", counted.upstream_failed);
    pen.number("upstream_limited", counted.upstream_limited);
    pen.number("saved", counted.saved);
    pen.micros("p50", counted.duration.quantile(0.5, metrics::request_bounds()));
    pen.micros("p99", counted.duration.quantile(0.99, metrics::request_bounds()));
    pen.micros("upstream_p50", counted.upstream_duration.quantile(0.5, metrics::upstream_bounds()));
    pen.micros("upstream_p99", counted.upstream_duration.quantile(0.99, metrics::upstream_bounds()));
    pen.micros("wait_p99", counted.wait.quantile(0.99, metrics::wait_bounds()));
  });
}

void operations(Pen& pen, const Facts& facts, const History::Span& span) {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < span.counted.operations.size(); ++i)
    if (span.counted.operations[i].requests > 0) used.push_back(i);
  pen.array("operations", used, [&](std::size_t index) {
    const auto& operation = span.counted.operations[index];
    pen.element([&] {
      pen.text("name", index < facts.operations.size() ? facts.operations[index] : "other");
      pen.number("requests", operation.requests);
      pen.number("errors", operation.errors);
      pen.number("from_cache", from_cache(operation.results));
      pen.number("cacheable", cacheable(operation.results));
      pen.micros("p50", operation.duration.quantile(0.5, metrics::request_bounds()));
      pen.micros("p99", operation.duration.quantile(0.99, metrics::request_bounds()));
    });
  });
}

void locations(Pen& pen, const exchange::State& state) {
  pen.number("known_locations", state.known_locations);
  pen.array("locations", state.locations, [&](const limiter::LocationState& location) {
    const auto& budget = location.budget;
    const auto circuit = std::find_if(state.circuits.begin(), state.circuits.end(),
                                      [&](const auto& each) { return each.location == location.location; });
    pen.element([&] {
      pen.text("name", location.location);
      pen.number("limit", budget.limit.requests);
      pen.number("remaining", budget.remaining);
      pen.signed_number("interval_ms",
                        std::chrono::duration_cast<std::chrono::milliseconds>(budget.limit.interval).count());
      pen.signed_number("until_more_ms",
                        std::chrono::duration_cast<std::chrono::milliseconds>(budget.until_more).count());
      pen.number("daily_limit", budget.daily_limit);
      pen.number("daily_remaining", budget.daily_remaining);
      pen.number("queue", location.queue);
      pen.number("in_flight", location.in_flight);
      pen.signed_number("paused_ms", std::chrono::duration_cast<std::chrono::milliseconds>(location.paused).count());
      pen.flag("circuit_open", circuit != state.circuits.end() && circuit->open);
    });
  });
}

void incident(Pen& pen, const policies::Incident& incident) {
  pen.element([&] {
    pen.text("code", incident.finding.code);
    pen.text("subject", incident.finding.subject);
    pen.text("severity", to_string(incident.finding.severity));
    pen.text("title", incident.finding.title);
    pen.text("what", incident.finding.what);
    pen.text("advice", incident.finding.advice);
    pen.signed_number("since", incident.since.count());
    if (incident.until) pen.signed_number("until", incident.until->count());
  });
}

void parts(Pen& pen, const Facts& facts, const Now& now) {
  const auto& state = now.exchange;
  pen.text("redis", !state.redis_up ? "none" : *state.redis_up ? "up" : "away");
  std::uint64_t open = 0;
  for (const auto& circuit : state.circuits) open += circuit.open ? 1 : 0;
  pen.number("circuits_open", open);
  pen.number("connections", now.connections);
  pen.flag("ending", now.ending);
  pen.object("memory", [&] {
    pen.number("cache_bytes", state.memory_bytes);
    pen.number("cache_entries", state.memory_entries);
    pen.number("cache_limit", facts.cache_enabled ? facts.cache_bytes : 0);
    pen.number("resident", now.resident_bytes);
    pen.number("limit", facts.memory_limit);
    pen.flag("over", now.over_memory);
  });
  pen.number("fixed_tokens", state.fixed_tokens);
  pen.number("tokens_in_trouble", state.token_troubles.size());
  pen.array("tokens", state.tokens, [&](const exchange::TokenState& token) {
    pen.element([&] {
      pen.text("location", token.location);
      pen.signed_number("expires", std::chrono::duration_cast<seconds>(token.expires).count());
    });
  });
}

policies::LocationSigns signs_of(const limiter::LocationState& location) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto& budget = location.budget;
  return {location.location,
          budget.limit.requests,
          budget.remaining,
          duration_cast<milliseconds>(budget.limit.interval),
          duration_cast<milliseconds>(budget.until_more),
          location.queue,
          budget.daily_limit,
          budget.daily_remaining,
          duration_cast<milliseconds>(location.paused)};
}

}  // namespace

std::string hello_json(const Facts& facts, const std::deque<Point>& points) {
  return Pen::object([&](Pen& pen) {
    pen.text("version", facts.version);
    pen.text("instance", facts.instance);
    pen.signed_number("started", facts.started.count());
    pen.text("upstream", facts.upstream);
    pen.array("history", points, [&](const Point& point) { pen.point(point); });
  });
}

std::string tick_json(const Facts& facts, const Now& now, const History& history, const policies::Timeline& timeline,
                      seconds wall) {
  return Pen::object([&](Pen& pen) {
    pen.signed_number("time", wall.count());
    pen.array("points", std::vector<int>(history.points().empty() ? 0 : 1),
              [&](int) { pen.point(history.points().back()); });
    minute(pen, history.last(seconds{60}));
    operations(pen, facts, history.last(seconds{300}));
    locations(pen, now.exchange);
    parts(pen, facts, now);
    pen.array("findings", timeline.current(), [&](const auto& each) { incident(pen, each); });
    pen.array("past", timeline.past(), [&](const auto& each) { incident(pen, each); });
  });
}

policies::Signs signs_of(const Facts& facts, const Now& now, const Now& before, const History& history, seconds wall) {
  policies::Signs signs;
  signs.ending = now.ending;
  signs.over_memory = now.over_memory;
  signs.redis_up = now.exchange.redis_up;
  signs.refuses_writes = facts.refuses_writes;
  for (const auto& location : now.exchange.locations) signs.locations.push_back(signs_of(location));
  for (const auto& circuit : now.exchange.circuits)
    if (circuit.open) signs.open_circuits.push_back(circuit.location);
  for (const auto& token : now.exchange.tokens)
    signs.tokens.push_back({token.location, std::chrono::duration_cast<seconds>(token.expires) - wall});
  signs.token_troubles = now.exchange.token_troubles;
  const auto counted = history.last(seconds{10}).counted;
  signs.recent = {counted.requests,
                  counted.server_errors,
                  counted.upstream,
                  counted.upstream_failed,
                  counted.upstream_limited,
                  counted.unfenced,
                  now.memory_refusals - before.memory_refusals,
                  now.spans_dropped - before.spans_dropped,
                  now.log_lines_dropped - before.log_lines_dropped,
                  now.settings_refused - before.settings_refused,
                  counted.rejections,
                  counted.refreshes};
  return signs;
}

}  // namespace gateway::status
