#include "policies/cache_key.h"

#include <doctest/doctest.h>

#include <set>

using namespace policies;

namespace {

struct Parts {
  std::string_view method = "GET", path = "/contacts/c1", location = "L1", version = "v3", query = "", body = "";
};

std::string key(const Parts& parts) {
  const auto match = std::get<Match>(Catalogue::builtin().match(parts.method, parts.path));
  std::string text = "before";
  const auto failed = append_cache_key(text, {match, parts.location, parts.version, parts.query, parts.body});
  CHECK(text.starts_with("before"));
  if (failed) {
    CHECK(text == "before");
    return std::string(to_string(*failed));
  }
  return text.substr(6);
}
std::string query(std::string_view text) { return key({.path = "/contacts/", .query = text}); }
std::string search(std::string_view body) { return key({.method = "POST", .path = "/contacts/search", .body = body}); }
std::string canonical(std::string_view json) {
  std::string text;
  return append_canonical_json(text, json) ? text : "none" + text;
}

}  // namespace

TEST_SUITE_BEGIN("cache_key");

TEST_CASE("a key is the operation, location, version, path parameters and sorted query") {
  CHECK(key({}) == "get-contact L1 v3 c1");
  CHECK(key({.path = "/contacts/c1/notes/n1/", .query = "b=2&a=1"}) == "get-note L1 v3 c1 n1 ?a=1&b=2");
  CHECK(key({.method = "HEAD"}) == key({}));
  CHECK(key({.method = "PUT"}) == "not-a-read");
  CHECK(key({.body = "{}"}) == "unkeyable-body");
}

TEST_CASE("spellings that mean the same share a key") {
  CHECK(key({.path = "/contacts/c%31/"}) == key({}));
  CHECK(key({.path = "/contacts/%63%31"}) == key({}));
  CHECK(key({.path = "/contacts/a%2fb"}) == key({.path = "/contacts/a%2Fb"}));
  CHECK(query("b=2&a=1") == query("a=1&b=2"));
  CHECK(query("a=%7e%c3%a9") == query("a=~%C3%A9"));
  CHECK(query("a=\xc3\xa9") == query("a=%C3%A9"));
  CHECK(query("&&a=1&") == query("a=1"));
  CHECK(query("&") == query(""));
  CHECK(query("%61=1&B=2") == query("B=2&a=1"));
}

TEST_CASE("what upstream can tell apart does not share a key") {
  const std::string all[] = {key({}),
                             key({.location = "L2"}),
                             key({.location = ""}),
                             key({.version = "2021-07-28"}),
                             key({.version = ""}),
                             key({.location = "L1 v3", .version = ""}),
                             key({.location = "", .version = "L1 v3"}),
                             key({.path = "/contacts/c2"}),
                             key({.path = "/contacts/C1"}),
                             key({.path = "/contacts/c1%20?"}),
                             key({.path = "/contacts/c1/tasks"}),
                             key({.path = "/contacts/c1/notes"}),
                             key({.path = "/contacts/c1/notes/v3"}),
                             key({.path = "/contacts/a%2Fb"}),
                             key({.query = "a"}),
                             key({.query = "a="}),
                             key({.query = "a=1"}),
                             key({.query = "a=1&a=2"}),
                             key({.query = "a=2&a=1"}),
                             key({.query = "a=1%26a=2"}),
                             key({.query = "a=1&b=2"}),
                             key({.query = "a=1;b=2"}),
                             key({.query = "a%3D1"}),
                             key({.query = "a=1+2"}),
                             key({.query = "a=1%202"}),
                             key({.query = "a=1%2"}),
                             key({.query = "a/=1"}),
                             key({.query = "a%2F=1"})};
  const std::set<std::string> distinct(std::begin(all), std::end(all));
  CHECK(distinct.size() == std::size(all));
}

TEST_CASE("repeated query parameters keep their order, be they few or many") {
  CHECK(query("b=1&a=2&b=0&a=1") == "get-contacts L1 v3 ?a=2&a=1&b=1&b=0");
  std::string many, sorted;
  for (int i = 0; i < 100; ++i) many += "b=" + std::to_string(i) + "&a=" + std::to_string(i) + "&";
  for (const std::string name : {"a=", "b="})
    for (int i = 0; i < 100; ++i) sorted += "&" + name + std::to_string(i);
  CHECK(query(many) == "get-contacts L1 v3 ?" + sorted.substr(1));
}

TEST_CASE("parameters whose names may be one to upstream keep their order, however they are spelled") {
  CHECK(query("a[]=1&a%5B%5D=2") != query("a%5B%5D=2&a[]=1"));
  CHECK(query("a+b=1&a%20b=2") != query("a%20b=2&a+b=1"));
  CHECK(query("a+b=1&a%2Bb=2") != query("a%2Bb=2&a+b=1"));
  CHECK(query("%61%5b%5d=1&a%5B%5D=2") == query("a%5B%5D=1&a%5B%5D=2"));
  CHECK(query("b=0&a[]=1&a%5B%5D=2") == query("a[]=1&a%5B%5D=2&b=0"));
  CHECK(query("b%5B%5D=1&a%5B%5D=2") == query("a%5B%5D=2&b%5B%5D=1"));
}

TEST_CASE("no query or version can put a space or a line end into a key") {
  CHECK(query("a= \r\n#\t\x01\x7f") == "get-contacts L1 v3 ?a=%20%0D%0A%23%09%01%7F");
  CHECK(key({.version = "v 3\n"}) == "get-contact L1 v%203%0A c1");
}

TEST_CASE("searches share a key when their bodies mean the same, with numbers as written") {
  const std::string a = search(R"({"filters":[{"b":1,"a":[1,2]}],"pageLimit":20})");
  CHECK(a == R"(search-contacts-advanced L1 v3 {"filters":[{"a":[1,2],"b":1}],"pageLimit":20})");
  CHECK(search("{ \"pageLimit\" :20,\n\"filters\":[ {\"a\":[1,2] ,\"b\":1} ] }") == a);
  CHECK(search(R"({"a":"\u0061\/\u00e9"})") == search("{\"a\":\"a/\xc3\xa9\"}"));
  CHECK(search(R"({"a":1})") != search(R"({"a":1.0})"));
  CHECK(search(R"({"a":1})") != search(R"({"a":"1"})"));
  CHECK(search(R"({"a":[1,2]})") != search(R"({"a":[2,1]})"));
  CHECK(search(R"({"a":9007199254740993})") != search(R"({"a":9007199254740992})"));
  CHECK(search("{}") != search("[]"));
}

TEST_CASE("a JSON text is put in order at every level, or refused") {
  CHECK(canonical(R"({"b":{"d":[],"c":{}},"a":[{"z":null,"y":true},[false,-1.5e+3]]})") ==
        R"({"a":[{"y":true,"z":null},[false,-1.5e+3]],"b":{"c":{},"d":[]}})");
  CHECK(canonical(R"("\u0000\u001f\"\\\n")") == R"("\u0000\u001f\"\\\u000a")");
  CHECK(canonical(R"({"ab":1,"a":2,"a b":3})") == R"({"a b":3,"a":2,"ab":1})");
  CHECK(canonical(R"({"":1})") == R"({"":1})");
  for (const std::string_view wrong : {"", " ", "{", "{]", "{\"a\":1,}", "[1,]", "{\"a\":1}x", "01", "nul",
                                       R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"([{"b":{"x":1,"x":2}}])",
                                       "\"\xff\"", "\"\xc0\xaf\"", R"("\ud800")", "\"\n\"", "[NaN]"}) {
    CAPTURE(wrong);
    CHECK(canonical(wrong) == "none");
  }
  CHECK(canonical(std::string_view("{}\0x", 4)) == "none");
  CHECK(canonical(std::string_view("{}\0", 3)) == "none");
}

TEST_CASE("deep and large bodies have no key") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(canonical(nested(64)) == nested(64));
  CHECK(canonical(nested(65)) == "none");
  CHECK(search(std::string(200'000, '[')) == "unkeyable-body");
  CHECK(canonical("\"" + std::string(kLargestKeyedBody, 'a') + "\"") == "none");
}

TEST_CASE("the fields that Vary names tell variants apart") {
  const std::vector<FieldView> request{{"Accept", "a/b ,c/d"}, {"X-One", ""}, {"accept", "e/f"}};
  const std::vector<FieldView> same{{"ACCEPT", "a/b, c/d,e/f"}, {"x-one", ""}};
  const std::vector<FieldView> other{{"Accept", "a/b"}};
  CHECK(vary_key("", request) == "");
  CHECK(vary_key("*", request) == std::nullopt);
  CHECK(vary_key("Accept, *", request) == std::nullopt);
  CHECK(vary_key("Accept", request) == vary_key("accept ,ACCEPT", same));
  CHECK(vary_key("Accept, X-One", request) == vary_key("x-one, Accept", same));
  CHECK(vary_key("Accept", request) != vary_key("Accept", other));
  CHECK(vary_key("X-One", request) != vary_key("X-One", other));
  const std::vector<FieldView> forged{{"A", "1 b=2"}};
  const std::vector<FieldView> honest{{"A", "1"}, {"B", "2"}};
  CHECK(vary_key("a, b", forged) != vary_key("a, b", honest));
}

TEST_SUITE_END();
