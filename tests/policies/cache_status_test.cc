#include "policies/cache_status.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;

namespace {

std::string written(const CacheStatus& status) {
  std::string text;
  append_cache_status(text, status);
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("cache_status");

TEST_CASE("Cache-Status says what the cache did") {
  CHECK(written({}) == "contacts-gateway");
  CHECK(written({.hit = true, .ttl = 25s}) == "contacts-gateway; hit; ttl=25");
  CHECK(written({.hit = true, .ttl = -3s, .detail = "memory"}) == "contacts-gateway; hit; ttl=-3; detail=memory");
  CHECK(written({.forward = Forward::UriMiss, .ttl = 30s, .stored = true}) ==
        "contacts-gateway; fwd=uri-miss; ttl=30; stored");
  CHECK(written({.hit = true, .forward = Forward::Stale, .forward_status = 304, .stored = true}) ==
        "contacts-gateway; fwd=stale; fwd-status=304; stored");
  CHECK(written({.forward = Forward::Miss, .collapsed = true}) == "contacts-gateway; fwd=miss; collapsed");
}

TEST_CASE("a detail is a token, or a quoted string where it is none") {
  CHECK(written({.hit = true, .detail = "stale-if-error"}) == "contacts-gateway; hit; detail=stale-if-error");
  CHECK(written({.hit = true, .detail = "two words"}) == "contacts-gateway; hit; detail=\"two words\"");
  CHECK(written({.hit = true, .detail = "5a"}) == "contacts-gateway; hit; detail=\"5a\"");
  CHECK(written({.hit = true, .detail = "\"\\\r\n\xc3"}) == "contacts-gateway; hit; detail=\"\\\"\\\\\"");
}

TEST_SUITE_END();
