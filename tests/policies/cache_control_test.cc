#include "policies/cache_control.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;

namespace {

RequestCacheControl request(std::string_view value) {
  const std::vector<FieldView> fields{{"cache-control", value}};
  return request_cache_control(fields);
}
AnswerCacheControl answer(std::string_view value) {
  const std::vector<FieldView> fields{{"Cache-Control", value}};
  return answer_cache_control(fields);
}

}  // namespace

TEST_SUITE_BEGIN("cache_control");

TEST_CASE("a request's directives are read in any case, spacing and company") {
  CHECK(request("") == RequestCacheControl{});
  CHECK(request("No-Cache") == RequestCacheControl{.no_cache = true});
  CHECK(request(" no-store ,, only-if-cached\t") == RequestCacheControl{.no_store = true, .only_if_cached = true});
  CHECK(request("max-age=5, min-fresh=\"7\", max-stale=9, stale-if-error=11") ==
        RequestCacheControl{.max_age = 5s, .min_fresh = 7s, .max_stale = 9s, .stale_if_error = 11s});
  CHECK(request("x=\"no-cache, no-store\", y, z=\"\\\", no-store\"") == RequestCacheControl{});
  CHECK(request("no-cachex, xno-store, =, =5, max-age2=3") == RequestCacheControl{});
  CHECK(request("max-stale") == RequestCacheControl{.max_stale = kMostSeconds});
  CHECK(request("unclosed=\"no-store, no-cache") == RequestCacheControl{});
}

TEST_CASE("of repeated directives the stricter counts, on one line or several") {
  CHECK(request("max-age=5, max-age=3").max_age == 3s);
  CHECK(request("min-fresh=5, min-fresh=9").min_fresh == 9s);
  CHECK(request("max-stale, max-stale=4").max_stale == 4s);
  CHECK(request("max-stale=4, max-stale").max_stale == 4s);
  const std::vector<FieldView> lines{{"Cache-Control", "max-age=5"}, {"CACHE-CONTROL", "no-cache, max-age=7"}};
  CHECK(request_cache_control(lines) == RequestCacheControl{.no_cache = true, .max_age = 5s});
}

TEST_CASE("numbers that are broken never make an answer fresh, and large ones are the largest") {
  CHECK(answer("max-age=99999999999999999999").max_age == kMostSeconds);
  CHECK(answer("max-age=2147483649").max_age == kMostSeconds);
  for (const std::string_view broken : {"max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=1 2", "max-age=+1",
                                        "max-age=0x10", "max-age=\"", "max-age='1'"}) {
    CAPTURE(broken);
    CHECK(answer(broken).max_age == 0s);
    CHECK(request(broken).max_age == 0s);
  }
  CHECK(request("min-fresh=soon").min_fresh == kMostSeconds);
  CHECK(request("max-stale=late").max_stale == 0s);
}

TEST_CASE("Pragma counts only where there is no Cache-Control") {
  const std::vector<FieldView> alone{{"Pragma", " No-Cache "}};
  CHECK(request_cache_control(alone).no_cache);
  const std::vector<FieldView> beside{{"Pragma", "no-cache"}, {"Cache-Control", "max-age=10"}};
  CHECK(request_cache_control(beside) == RequestCacheControl{.max_age = 10s});
  const std::vector<FieldView> other{{"Pragma", "x"}};
  CHECK_FALSE(request_cache_control(other).no_cache);
}

TEST_CASE("an answer's directives are read") {
  CHECK(answer("private, max-age=60") == AnswerCacheControl{.max_age = 60s});
  CHECK(answer("no-cache=\"Set-Cookie, X\"") == AnswerCacheControl{.no_cache = true});
  CHECK(answer("no-store, no-transform, immutable") == AnswerCacheControl{.no_store = true});
  CHECK(answer("must-revalidate").must_revalidate);
  CHECK(answer("proxy-revalidate").must_revalidate);
  CHECK(answer("s-maxage=3") == AnswerCacheControl{.must_revalidate = true, .shared_max_age = 3s});
  CHECK(answer("stale-while-revalidate=4, stale-if-error=5") ==
        AnswerCacheControl{.stale_while_revalidate = 4s, .stale_if_error = 5s});
}

TEST_SUITE_END();
