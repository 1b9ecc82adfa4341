#include "policies/freshness.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;

namespace {

constexpr WallTime kReceived = std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min + 37s;
const Times kRule{.fresh = 30s, .stale_while_revalidate = 20s, .stale_if_error = 600s, .settle = 0s};
using Lines = std::vector<FieldView>;

std::variant<Storable, Unstorable> stored(const Lines& fields, int status = 200, const Times& rule = kRule,
                                          const RequestCacheControl& request = {}) {
  return lifetimes_of({.status = status, .fields = fields, .requested = kReceived, .received = kReceived}, request,
                      rule);
}
std::string refused(const Lines& fields, int status = 200, const RequestCacheControl& request = {},
                    const Times& rule = kRule) {
  const auto result = stored(fields, status, rule, request);
  return std::holds_alternative<Unstorable>(result) ? std::string(to_string(std::get<Unstorable>(result))) : "stored";
}
Storable life(const Lines& fields, int status = 200) { return std::get<Storable>(stored(fields, status)); }

const Lifetimes kEntry{
    .initial_age = 2s, .fresh = 30s, .stale_while_revalidate = 20s, .stale_if_error = 600s, .must_revalidate = false};

std::string decided(milliseconds resident, const RequestCacheControl& request, const Lifetimes* entry = &kEntry) {
  const Decision decision = decide(entry, resident, request);
  std::string text(to_string(decision.action));
  if (decision.action != Action::Fetch) return text;
  return text + (decision.reason == FetchReason::Miss    ? " miss"
                 : decision.reason == FetchReason::Stale ? " stale"
                                                         : " request");
}

}  // namespace

TEST_SUITE_BEGIN("freshness");

TEST_CASE("without a word from upstream the operator's times rule") {
  CHECK(life({}) == Storable{{.fresh = 30s, .stale_while_revalidate = 20s, .stale_if_error = 600s}, 630s});
  CHECK(life({{"Cache-Control", "private"}}).fresh == 30s);
}

TEST_CASE(
    "the times for which a stale answer may serve run from when it became stale, also where that was on the way") {
  const auto aged = [](const char* age) { return life({{"Age", age}, {"ETag", "\"1\""}}); };
  CHECK(aged("20").stale_while_revalidate == 20s);
  CHECK(aged("20").fresh == 10s);
  CHECK(aged("35").fresh == 0s);
  CHECK(aged("35").stale_while_revalidate == 15s);
  CHECK(aged("35").stale_if_error == 595s);
  CHECK(aged("100000").stale_while_revalidate == 0s);
  CHECK(aged("100000").stale_if_error == 0s);
  CHECK(life({{"Cache-Control", "max-age=10"}, {"Age", "15"}}).stale_while_revalidate == 15s);
  // A Date that is wrong by an hour leaves them.
  CHECK(life({{"Cache-Control", "max-age=10"}, {"Date", "Sun, 06 Nov 1994 07:49:37 GMT"}}).stale_if_error == 600s);
}

TEST_CASE("upstream's explicit lifetime lowers them and never raises them") {
  struct Row {
    Lines fields;
    milliseconds fresh;
  };
  const Row rows[] = {
      {{{"Cache-Control", "max-age=10"}}, 10s},
      {{{"Cache-Control", "max-age=3600"}}, 30s},
      {{{"Cache-Control", "max-age=0"}}, 0s},
      {{{"Cache-Control", "max-age=20"}, {"Age", "15"}}, 5s},
      {{{"Cache-Control", "max-age=20"}, {"Age", "25"}}, 0s},
      {{{"Age", "25"}}, 5s},
      {{{"Cache-Control", "max-age=20, s-maxage=7"}}, 7s},
      {{{"Cache-Control", "max-age=7, s-maxage=20"}}, 20s},
      {{{"Expires", "Sun, 06 Nov 1994 08:49:49 GMT"}}, 12s},
      {{{"Expires", "Sun, 06 Nov 1994 08:49:49 GMT"}, {"Date", "Sun, 06 Nov 1994 08:49:35 GMT"}}, 12s},
      {{{"Expires", "Sun, 06 Nov 1994 08:49:30 GMT"}}, 0s},
      {{{"Expires", "0"}}, 0s},
      {{{"Expires", "0"}, {"Cache-Control", "max-age=8"}}, 8s},
      {{{"Cache-Control", "no-cache"}, {"ETag", "\"x\""}}, 0s},
      {{{"Cache-Control", "max-age=10"}, {"Date", "Sun, 06 Nov 1994 08:49:34 GMT"}}, 7s},
      // A clock that is wrong by years cannot undo the operator's own times.
      {{{"Date", "Thu, 06 Nov 1980 08:49:34 GMT"}}, 30s},
      {{{"Date", "Tue, 06 Nov 2040 08:49:34 GMT"}, {"Cache-Control", "max-age=10"}}, 10s},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields.front().value);
    CHECK(life(row.fields).fresh == row.fresh);
  }
}

TEST_CASE("upstream's stale times lower the operator's too, and must-revalidate ends them") {
  CHECK(life({{"Cache-Control", "stale-while-revalidate=5, stale-if-error=9999"}}).stale_while_revalidate == 5s);
  CHECK(life({{"Cache-Control", "stale-while-revalidate=5, stale-if-error=9999"}}).stale_if_error == 600s);
  const Storable strict = life({{"Cache-Control", "must-revalidate"}});
  CHECK(strict == Storable{{.fresh = 30s, .must_revalidate = true}, 30s});
}

TEST_CASE("the time that the answer took counts as age") {
  const Answer slow{.status = 200, .fields = {}, .requested = kReceived - 4s, .received = kReceived};
  const auto result = std::get<Storable>(lifetimes_of(slow, {}, kRule));
  CHECK(result.initial_age == 4s);
  CHECK(result.fresh == 26s);
  const Lines old{{"Age", "3"}, {"Date", "Sun, 06 Nov 1994 08:49:27 GMT"}};
  CHECK(corrected_initial_age({.status = 200, .fields = old, .requested = kReceived - 4s, .received = kReceived}) ==
        10s);
  const Lines odd{{"Age", "-3"}, {"Date", "soon"}};
  CHECK(corrected_initial_age({.status = 200, .fields = odd, .requested = kReceived, .received = kReceived}) == 0s);
}

TEST_CASE("a 404 is fresh for a short time and never stale") {
  CHECK(life({}, 404) == Storable{{.fresh = 5s}, 5s});
  CHECK(life({{"Cache-Control", "max-age=2"}}, 404).fresh == 2s);
}

TEST_CASE("what may not be stored says why") {
  for (const int status : {201, 204, 206, 301, 304, 400, 401, 403, 410, 422, 429, 500, 503})
    CHECK(refused({}, status) == "status");
  CHECK(refused({{"Cache-Control", "no-store"}}) == "no-store");
  CHECK(refused({}, 200, {.no_store = true}) == "request-no-store");
  CHECK(refused({{"Set-Cookie", "a=b"}}) == "set-cookie");
  CHECK(refused({{"Vary", "Accept"}, {"vary", "*"}}) == "vary-all");
  CHECK(refused({{"Vary", "Accept"}}) == "stored");
  CHECK(refused({{"Content-Range", "bytes 0-1/2"}}) == "partial");
  CHECK(refused({{"Cache-Control", "no-cache"}}) == "no-lifetime");
  CHECK(refused({}, 200, {}, Times{}) == "no-lifetime");
}

TEST_CASE("an answer that is expired on arrival is kept where upstream can be asked whether it changed") {
  const Storable kept = life({{"Cache-Control", "no-cache"}, {"ETag", "W/\"1\""}});
  CHECK(kept == Storable{{.must_revalidate = true}, 630s});
  CHECK(decided(0s, {}, &kept) == "fetch stale");
  CHECK(decided(0s, {.max_stale = 100s}, &kept) == "fetch stale");
  CHECK_FALSE(may_serve_on_error(kept, 1s, {}));
}

TEST_CASE("a lookup is decided by age, policies and the request") {
  struct Row {
    milliseconds resident;
    RequestCacheControl request;
    std::string_view expected;
  };
  const Row rows[] = {
      {0s, {}, "serve-fresh"},
      {29'999ms, {}, "serve-fresh"},
      {30s, {}, "serve-stale-while-revalidate"},
      {49'999ms, {}, "serve-stale-while-revalidate"},
      {50s, {}, "fetch stale"},
      {-5s, {}, "serve-fresh"},
      {1s, {.no_cache = true}, "fetch request"},
      {1s, {.no_store = true}, "bypass"},
      {1s, {.max_age = 3s}, "serve-fresh"},
      {1'001ms, {.max_age = 3s}, "fetch request"},
      {0s, {.max_age = 0s}, "fetch request"},
      {10s, {.min_fresh = 20s}, "serve-fresh"},
      {10'001ms, {.min_fresh = 20s}, "fetch request"},
      {31s, {.max_age = 100s}, "fetch stale"},
      {31s, {.min_fresh = 0s}, "fetch stale"},
      {31s, {.max_age = 100s, .max_stale = 5s}, "serve-stale-while-revalidate"},
      {36s, {.max_stale = 5s}, "fetch stale"},
      {35s, {.max_stale = 5s}, "serve-stale-while-revalidate"},
      {60s, {.max_stale = 30s}, "serve-stale"},
      {61s, {.max_stale = 30s}, "fetch stale"},
      {600s, {.max_stale = kMostSeconds}, "serve-stale"},
      {1s, {.only_if_cached = true}, "serve-fresh"},
      {31s, {.only_if_cached = true}, "serve-stale-while-revalidate"},
      {60s, {.only_if_cached = true}, "only-if-cached-miss"},
      {1s, {.no_cache = true, .only_if_cached = true}, "only-if-cached-miss"},
      {1s, {.no_store = true, .only_if_cached = true}, "serve-fresh"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.resident.count());
    CAPTURE(row.expected);
    CHECK(decided(row.resident, row.request) == row.expected);
  }
  CHECK(decided(0s, {}, nullptr) == "fetch miss");
  CHECK(decided(0s, {.only_if_cached = true}, nullptr) == "only-if-cached-miss");
  CHECK(decided(0s, {.no_store = true}, nullptr) == "bypass");
}

TEST_CASE("max-age=0, a browser's reload, takes nothing from the cache however young") {
  const Lifetimes young{.fresh = 30s};
  CHECK(decided(0s, {.max_age = 0s}, &young) == "fetch request");
  CHECK(decided(0s, {.max_age = 1s}, &young) == "serve-fresh");
}

TEST_CASE("an entry that must be revalidated is never served stale") {
  Lifetimes strict = kEntry;
  strict.must_revalidate = true;
  CHECK(decided(29s, {}, &strict) == "serve-fresh");
  CHECK(decided(31s, {}, &strict) == "fetch stale");
  CHECK(decided(31s, {.max_stale = kMostSeconds}, &strict) == "fetch stale");
  CHECK_FALSE(may_serve_on_error(strict, 31s, {}));
}

TEST_CASE("a decision carries the age and the freshness left") {
  const Decision decision = decide(&kEntry, 40s, {});
  CHECK(decision.age == 42s);
  CHECK(decision.ttl == -10s);
}

TEST_CASE("a stale entry is served while upstream fails, as long as the policies or the client allow") {
  CHECK(may_serve_on_error(kEntry, 1s, {.max_age = 0s}));
  CHECK(may_serve_on_error(kEntry, 629s, {}));
  CHECK_FALSE(may_serve_on_error(kEntry, 630s, {}));
  CHECK(may_serve_on_error(kEntry, 639s, {.stale_if_error = 610s}));
  CHECK_FALSE(may_serve_on_error(kEntry, 41s, {.stale_if_error = 10s}));
  CHECK_FALSE(may_serve_on_error(kEntry, 1s, {.no_cache = true}));
  for (const int status : {429, 500, 502, 503, 504}) CHECK(is_failure(status));
  for (const int status : {200, 304, 400, 401, 403, 404, 422, 501}) CHECK_FALSE(is_failure(status));
}

TEST_SUITE_END();
