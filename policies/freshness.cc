#include "policies/freshness.h"

#include <algorithm>

#include "policies/http_date.h"

namespace policies {

namespace {

using std::chrono::seconds;

constexpr milliseconds kNone{0};

std::optional<seconds> age_field(FieldsView fields) {
  const auto value = find_field(fields, "Age");
  return value ? delta_seconds(*value) : std::nullopt;
}

std::optional<WallTime> date_in(FieldsView fields, std::string_view name, WallTime now) {
  const auto value = find_field(fields, name);
  if (!value) return std::nullopt;
  const auto date = parse_http_date(*value, std::chrono::floor<seconds>(now.time_since_epoch()));
  return date ? std::optional(WallTime(*date)) : std::nullopt;
}

// RFC 9111 section 4.2.3: the age by what upstream said and how long it took, without trusting clocks to agree.
milliseconds corrected_age_value(const Answer& answer) {
  return age_field(answer.fields).value_or(seconds{0}) + std::max(answer.received - answer.requested, kNone);
}

// RFC 9111 section 4.2.1, without heuristics: nothing where upstream said nothing.
std::optional<milliseconds> explicit_lifetime(const Answer& answer, const AnswerCacheControl& control) {
  if (control.shared_max_age) return *control.shared_max_age;
  if (control.max_age) return *control.max_age;
  if (!find_field(answer.fields, "Expires")) return std::nullopt;
  const auto until = date_in(answer.fields, "Expires", answer.received);
  if (!until) return kNone;  // "0" and other broken dates are in the past (RFC 9111 section 5.3)
  const auto made = date_in(answer.fields, "Date", answer.received).value_or(answer.received);
  return std::max<milliseconds>(*until - made, kNone);
}

milliseconds lowered(milliseconds ours, const std::optional<seconds>& theirs) {
  return theirs ? std::min<milliseconds>(ours, *theirs) : ours;
}

milliseconds fresh_for(const Answer& answer, const AnswerCacheControl& control, const Times& rule,
                       milliseconds initial_age) {
  if (control.no_cache) return kNone;
  if (rule.explicit_only && !explicit_lifetime(answer, control)) return kNone;
  const milliseconds most = answer.status == 404 ? std::min(rule.fresh, kMostNegative) : rule.fresh;
  milliseconds fresh = most - corrected_age_value(answer);
  if (const auto lifetime = explicit_lifetime(answer, control)) fresh = std::min(fresh, *lifetime - initial_age);
  return std::max(fresh, kNone);
}

// How long it had been stale when it came, going by the ages that caches on the way state: a wrong clock must not
// shorten the time for which it may stand in for an upstream that fails.
milliseconds stale_on_arrival(const Answer& answer, const AnswerCacheControl& control, const Times& rule) {
  const auto lifetime = std::min(rule.fresh, explicit_lifetime(answer, control).value_or(rule.fresh));
  return std::max(corrected_age_value(answer) - lifetime, kNone);
}

bool has_validator(FieldsView fields) { return find_field(fields, "ETag") || find_field(fields, "Last-Modified"); }

bool varies_by_all(FieldsView fields) {
  for (const auto& field : fields)
    if (same_name(field.name, "Vary") && field.value.find('*') != std::string_view::npos) return true;
  return false;
}

std::optional<Unstorable> forbidden(const Answer& answer, const RequestCacheControl& request,
                                    const AnswerCacheControl& control) {
  if (answer.status != 200 && answer.status != 404) return Unstorable::Status;
  if (request.no_store) return Unstorable::RequestNoStore;
  if (control.no_store) return Unstorable::NoStore;
  if (find_field(answer.fields, "Set-Cookie")) return Unstorable::SetCookie;
  if (find_field(answer.fields, "Content-Range")) return Unstorable::Partial;
  if (varies_by_all(answer.fields)) return Unstorable::VaryAll;
  return std::nullopt;
}

bool refused_by_request(const RequestCacheControl& request, milliseconds age) {
  // A browser's reload says max-age=0: no entry is young enough for that.
  return request.no_cache || (request.max_age && (age > *request.max_age || request.max_age->count() == 0));
}

// A client that limits how old an answer may be wants no stale one, unless it says so too (RFC 9111 section 5.2.1).
bool accepts_stale(const RequestCacheControl& request, milliseconds staleness) {
  if (request.min_fresh) return false;
  if (request.max_stale) return staleness <= *request.max_stale;
  return !request.max_age;
}

Decision with_entry(const Lifetimes& entry, milliseconds resident, const RequestCacheControl& request) {
  Decision decision{Action::Fetch, FetchReason::Request, entry.initial_age + resident, entry.fresh - resident};
  if (refused_by_request(request, decision.age)) return decision;
  if (decision.ttl > kNone) {
    if (decision.ttl >= request.min_fresh.value_or(seconds{0})) decision.action = Action::ServeFresh;
    return decision;
  }
  decision.reason = FetchReason::Stale;
  const milliseconds staleness = -decision.ttl;
  if (entry.must_revalidate || !accepts_stale(request, staleness)) return decision;
  if (staleness < entry.stale_while_revalidate)
    decision.action = Action::ServeStaleWhileRevalidate;
  else if (request.max_stale)
    decision.action = Action::ServeStale;
  return decision;
}

}  // namespace

std::string_view to_string(Unstorable reason) {
  switch (reason) {
    case Unstorable::Status:
      return "status";
    case Unstorable::NoStore:
      return "no-store";
    case Unstorable::RequestNoStore:
      return "request-no-store";
    case Unstorable::SetCookie:
      return "set-cookie";
    case Unstorable::VaryAll:
      return "vary-all";
    case Unstorable::Partial:
      return "partial";
    case Unstorable::NoLifetime:
      return "no-lifetime";
  }
  return "unknown";
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::ServeFresh:
      return "serve-fresh";
    case Action::ServeStaleWhileRevalidate:
      return "serve-stale-while-revalidate";
    case Action::ServeStale:
      return "serve-stale";
    case Action::Fetch:
      return "fetch";
    case Action::OnlyIfCachedMiss:
      return "only-if-cached-miss";
    case Action::Bypass:
      return "bypass";
  }
  return "unknown";
}

milliseconds corrected_initial_age(const Answer& answer) {
  const auto made = date_in(answer.fields, "Date", answer.received);
  const milliseconds apparent = made ? std::max<milliseconds>(answer.received - *made, kNone) : kNone;
  // Date has whole seconds: a part of one is no age.
  return std::max<milliseconds>(std::chrono::floor<seconds>(apparent), corrected_age_value(answer));
}

std::variant<Storable, Unstorable> lifetimes_of(const Answer& answer, const RequestCacheControl& request,
                                                const Times& rule) {
  const AnswerCacheControl control = answer_cache_control(answer.fields);
  if (const auto reason = forbidden(answer, request, control)) return *reason;
  Storable life;
  life.initial_age = corrected_initial_age(answer);
  life.fresh = fresh_for(answer, control, rule, life.initial_age);
  life.must_revalidate = control.must_revalidate || control.no_cache;
  if (!life.must_revalidate && answer.status == 200) {
    // They run from when it became stale (RFC 5861 section 3), which may have been before it came.
    const milliseconds passed = stale_on_arrival(answer, control, rule);
    life.stale_while_revalidate =
        std::max(lowered(rule.stale_while_revalidate, control.stale_while_revalidate) - passed, kNone);
    life.stale_if_error = std::max(lowered(rule.stale_if_error, control.stale_if_error) - passed, kNone);
  }
  life.keep = life.fresh + std::max(life.stale_while_revalidate, life.stale_if_error);
  const milliseconds worth_asking = rule.fresh + std::max(rule.stale_while_revalidate, rule.stale_if_error);
  if (answer.status == 200 && has_validator(answer.fields) && !rule.explicit_only)
    life.keep = std::max(life.keep, worth_asking);
  if (life.keep <= kNone) return Unstorable::NoLifetime;
  return life;
}

Decision decide(const Lifetimes* entry, milliseconds resident, const RequestCacheControl& request) {
  Decision decision;
  if (request.no_store && !request.only_if_cached)
    decision.action = Action::Bypass;
  else if (entry != nullptr)
    decision = with_entry(*entry, std::max(resident, kNone), request);
  if (decision.action == Action::Fetch && request.only_if_cached) decision.action = Action::OnlyIfCachedMiss;
  return decision;
}

bool may_serve_on_error(const Lifetimes& entry, milliseconds resident, const RequestCacheControl& request) {
  if (request.no_cache || request.no_store) return false;
  const milliseconds staleness = std::max(resident, kNone) - entry.fresh;
  if (staleness < kNone) return true;
  if (entry.must_revalidate) return false;
  const milliseconds most = request.stale_if_error ? milliseconds(*request.stale_if_error) : entry.stale_if_error;
  return staleness < most;
}

bool is_failure(int status) {
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

}  // namespace policies
