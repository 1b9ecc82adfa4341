// May an answer be stored, how long is it good, and what does a lookup that found it (or not) do (RFC 9111 sections 3,
// 4 and 5.2, RFC 5861). Pure; any thread; no allocation.
//
// The operator's times (the catalogue's, or settings) rule; what upstream says explicitly can only lower them. The
// gateway answers for one location from that location's own entries, under its own credentials, so it stores as a
// private cache does: `private` and `Authorization` do not forbid it. It keeps s-maxage and proxy-revalidate all the
// same, since several clients share it. Whether an entry was invalidated is not asked here: coherence.h decides that
// first.
//
// Times: an entry's `resident` time is how long this system has had it, by clocks that only go forward. Its age is that
// and the age it came with. A wrong wall clock here or upstream can make an upstream's explicit lifetime seem over,
// never the operator's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "policies/cache_control.h"
#include "policies/catalogue.h"
#include "policies/fields.h"

namespace policies {

using std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<milliseconds>;

// How an entry ages. Durations count from when the answer was received.
struct Lifetimes {
  milliseconds initial_age{0};             // RFC 9111 section 4.2.3: corrected_initial_age
  milliseconds fresh{0};                   // 0: each use asks upstream first
  milliseconds stale_while_revalidate{0};  // after `fresh`
  milliseconds stale_if_error{0};          // after `fresh`
  bool must_revalidate = false;            // never served stale, whoever asks
  bool operator==(const Lifetimes&) const = default;
};

// An answer that may be stored.
struct Storable : Lifetimes {
  milliseconds keep{0};  // after this nothing can use it; more than 0
  bool operator==(const Storable&) const = default;
};

enum class Unstorable : std::uint8_t {
  Status,          // neither 200 nor 404
  NoStore,         // upstream said so
  RequestNoStore,  // the client said so
  SetCookie,       // meant for one client
  VaryAll,         // Vary: *
  Partial,         // Content-Range: not the whole
  NoLifetime,      // no use for it: switched off by the operator, or expired on arrival and without a validator
};
std::string_view to_string(Unstorable reason);

struct Answer {
  int status = 0;
  FieldsView fields;
  WallTime requested;  // when the request was sent, and when the answer's head came
  WallTime received;
};

inline constexpr milliseconds kMostNegative{5'000};  // a 404 is fresh no longer than this

std::variant<Storable, Unstorable> lifetimes_of(const Answer& answer, const RequestCacheControl& request,
                                                const Times& rule);

// RFC 9111 section 4.2.3. Without Date the answer counts as made when it was received.
milliseconds corrected_initial_age(const Answer& answer);

enum class Action : std::uint8_t {
  ServeFresh,
  ServeStaleWhileRevalidate,  // serve, and let one refresh run in the background
  ServeStale,                 // serve: the client's max-stale allows it
  Fetch,                      // ask upstream: conditionally where the entry has a validator
  OnlyIfCachedMiss,           // 504 (RFC 9111 section 5.2.1.7)
  Bypass,                     // request no-store: ask upstream, use and store nothing
};
enum class FetchReason : std::uint8_t {
  Miss,     // no entry
  Stale,    // too old
  Request,  // the request's directives rule the entry out
};
std::string_view to_string(Action action);

struct Decision {
  Action action = Action::Fetch;
  FetchReason reason = FetchReason::Miss;  // for Fetch and OnlyIfCachedMiss
  milliseconds age{0};                     // of the entry
  milliseconds ttl{0};                     // freshness left, negative when stale
};

// `entry`: null for none.
Decision decide(const Lifetimes* entry, milliseconds resident, const RequestCacheControl& request);

// Upstream was asked and failed (no answer, is_failure(status), circuit open, limit reached): may the entry be served
// instead?
bool may_serve_on_error(const Lifetimes& entry, milliseconds resident, const RequestCacheControl& request);
bool is_failure(int status);  // RFC 5861 section 4, and 429

}  // namespace policies
