#include "policies/conditional.h"

#include <doctest/doctest.h>

#include "policies/hash128.h"

using namespace policies;

namespace {

bool matches(std::string_view list, std::string_view etag) {
  const std::vector<FieldView> request{{"if-none-match", list}};
  return not_modified(request, etag, {});
}

}  // namespace

TEST_SUITE_BEGIN("conditional");

TEST_CASE("If-None-Match compares weakly, over lists and lines") {
  CHECK(matches("\"a\"", "\"a\""));
  CHECK(matches("W/\"a\"", "\"a\""));
  CHECK(matches("\"a\"", "W/\"a\""));
  CHECK(matches(" , \"b\" ,\t\"a\"", "\"a\""));
  CHECK(matches("\"b,c\", \"a\"", "\"a\""));
  CHECK(matches("\"\"", "\"\""));
  CHECK(matches("*", "\"a\""));
  CHECK(matches("*", ""));
  CHECK_FALSE(matches("\"b\"", "\"a\""));
  CHECK_FALSE(matches("\"A\"", "\"a\""));
  CHECK_FALSE(matches("a", "\"a\""));
  CHECK_FALSE(matches("\"a", "\"a\""));
  CHECK_FALSE(matches("w/\"a\"", "\"a\""));
  CHECK_FALSE(matches("W/", "W/"));
  CHECK_FALSE(matches("", ""));
  const std::vector<FieldView> lines{{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}};
  CHECK(not_modified(lines, "\"a\"", {}));
  CHECK_FALSE(not_modified({}, "\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT"));
}

TEST_CASE("If-Modified-Since counts only where there is no If-None-Match") {
  const std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::vector<FieldView> by_date{{"If-Modified-Since", date}};
  CHECK(not_modified(by_date, "\"a\"", date));
  CHECK_FALSE(not_modified(by_date, "\"a\"", "Sun, 06 Nov 1994 08:49:38 GMT"));
  CHECK(not_modified(by_date, "\"a\"", "Sun, 06 Nov 1994 08:49:36 GMT"));
  for (const char* form : {"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    const std::vector<FieldView> in_form{{"If-Modified-Since", form}};
    CHECK(not_modified(in_form, "\"a\"", date));
    CHECK(not_modified(by_date, "\"a\"", form));
    CHECK_FALSE(not_modified(in_form, "\"a\"", "Sun, 06 Nov 1994 08:49:38 GMT"));
  }
  const std::vector<FieldView> no_date{{"If-Modified-Since", "yesterday"}};
  CHECK_FALSE(not_modified(no_date, "\"a\"", date));
  CHECK_FALSE(not_modified(by_date, "\"a\"", {}));
  const std::vector<FieldView> both{{"If-Modified-Since", date}, {"If-None-Match", "\"b\""}};
  CHECK_FALSE(not_modified(both, "\"a\"", date));
}

TEST_CASE("the hash is MurmurHash3 x64 128") {
  CHECK(hash128("") == Hash128{0, 0});
  CHECK(hash128("hello") == Hash128{0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19});
  CHECK(hash128("The quick brown fox jumps over the lazy dog") == Hash128{0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347});
}

TEST_CASE("an entity-tag made from a body is strong, quoted and differs when any byte does") {
  CHECK(make_etag("hello") == "\"cbd8a7b341bd9b025b1e906a48ae1d19\"");
  std::string body(100, 'x');
  const std::string etag = make_etag(body);
  CHECK(etag.size() == 34);
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string other = body;
    other[i] = 'y';
    CHECK(make_etag(other) != etag);
    CHECK(make_etag(body.substr(0, i)) != etag);
  }
}

TEST_CASE("a 304 carries what RFC 9110 names and nothing of the body") {
  for (const std::string_view name : {"etag", "Cache-Control", "DATE", "Vary", "Expires", "Content-Location"})
    CHECK(carried_by_304(name));
  for (const std::string_view name : {"Content-Type", "Content-Length", "Content-Encoding", "X-RateLimit-Max"})
    CHECK_FALSE(carried_by_304(name));
  CHECK(is_precondition("if-none-match"));
  CHECK(is_precondition("Range"));
  CHECK_FALSE(is_precondition("Accept"));
}

TEST_CASE("upstream is asked by the validators that it sent") {
  const Fields none{{"Content-Type", "application/json"}};
  CHECK(revalidation_fields(none.view()).empty());
  const Fields both{{"etag", "W/\"1\""}, {"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  CHECK(revalidation_fields(both.view()) ==
        Fields{{"If-None-Match", "W/\"1\""}, {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}});
}

TEST_CASE("a 304 renews an entry's fields but not those that describe its bytes") {
  const Fields stored{
      {"Content-Type", "application/json"}, {"Date", "old"}, {"X-A", "1"}, {"X-A", "2"}, {"ETag", "\"1\""}};
  const Fields fresh{{"date", "new"}, {"x-a", "3"}, {"Content-Type", "text/html"}, {"Content-Length", "0"}};
  CHECK(renewed_fields(stored.view(), fresh.view()) ==
        Fields{{"Content-Type", "application/json"}, {"ETag", "\"1\""}, {"date", "new"}, {"x-a", "3"}});
  // Without a Date it is of when it was received (RFC 9110 section 6.6.1), whatever the entry's own was.
  const Fields undated{{"X-A", "3"}};
  CHECK(renewed_fields(stored.view(), undated.view()) ==
        Fields{{"Content-Type", "application/json"}, {"ETag", "\"1\""}, {"X-A", "3"}});
}

TEST_SUITE_END();
