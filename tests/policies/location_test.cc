#include "policies/location.h"

#include <doctest/doctest.h>

using namespace policies;

namespace {

std::string told(const LocationInputs& request) {
  const auto result = location_of(request);
  if (const auto* problem = std::get_if<LocationProblem>(&result)) {
    switch (problem->reason) {
      case LocationProblem::Reason::Conflicting:
        return "conflicting";
      case LocationProblem::Reason::Missing:
        return "missing";
      case LocationProblem::Reason::UnreadableBody:
        return "unreadable";
    }
  }
  const auto& location = std::get<Location>(result);
  return std::string(to_string(location.source())) + " " + std::string(location.id());
}

const std::vector<FieldView> kJson{{"Content-Type", "application/json; charset=utf-8"}};

std::string told_body(std::string_view type, std::string_view body) {
  const std::vector<FieldView> fields{{"content-type", type}};
  return told({.fields = fields, .body = body, .restricted = true});
}

}  // namespace

TEST_SUITE_BEGIN("location");

TEST_CASE("a location is taken from the query, percent-decoded") {
  CHECK(told({.query = "limit=1&locationId=L1"}) == "query L1");
  CHECK(told({.query = "locationId=L%31"}) == "query L1");
  CHECK(told({.query = "location%49d=L1&x"}) == "query L1");
  CHECK(told({.query = "locationId=L1&locationId=%4c1"}) == "query L1");
  CHECK(told({.query = "locationId=L1&locationId=L2"}) == "conflicting");
  CHECK(told({.query = "locationId=&locationId=L2"}) == "query L2");
  CHECK(told({.query = "locationId&xlocationId=L2&locationIdx=L3"}) == "unknown ");
}

TEST_CASE("what a server may take for the location counts, however it is spelt") {
  CHECK(told({.query = "locationId[]=L1"}) == "query L1");
  CHECK(told({.query = "locationId%5B0%5D=L1"}) == "query L1");
  CHECK(told({.query = "LocationID=L1"}) == "query L1");
  CHECK(told({.query = "locationId=L1&locationId[]=L2"}) == "conflicting");
  CHECK(told({.query = "locationId=L1&locationId%5B0%5D=L2"}) == "conflicting");
  CHECK(told({.query = "locationId=L1&locationid=L2"}) == "conflicting");
  CHECK(told({.query = "location_id[]=L2&locationId=L1", .parameter = "location_id"}) == "conflicting");
  CHECK(told({.query = "locationId[$ne]=L1"}) == "conflicting");
  CHECK(told({.query = "locationId=L1&locationId[a][b]=L1"}) == "conflicting");
  CHECK(told({.query = "[locationId]=L1"}) == "query L1");
  CHECK(told({.query = "locationId=L1&%5BlocationId%5D=L2"}) == "conflicting");
  CHECK(told({.query = "locationId=L1&[locationId][]=L2"}) == "conflicting");
  CHECK(told({.query = "[locationId][a]=L1"}) == "conflicting");
  CHECK(told({.query = "[locationId]x=L1"}) == "conflicting");
  CHECK(told({.query = "[locationIds]=L2&[locationId=L3&a[locationId]=L4"}) == "unknown ");
  CHECK(told({.query = "locationIds[]=L2&xlocationId[]=L3&location[]=L4"}) == "unknown ");
  CHECK(told_body("application/json", R"({"locationId":["L1"]})") == "body L1");
  CHECK(told_body("application/json", R"({"locationId":["L1","L2"]})") == "conflicting");
  CHECK(told_body("application/json", R"({"locationId":{"$ne":"L1"}})") == "conflicting");
  CHECK(told_body("application/json", R"({"locationId":[{"$ne":"L1"}]})") == "conflicting");
  CHECK(told_body("application/json", R"({"a":{"locationId":{}},"locationId":"L1"})") == "body L1");
  CHECK(told_body("application/x-www-form-urlencoded", "locationId[]=L1&locationId[]=L2") == "conflicting");
}

TEST_CASE("a form's parts name it, where their heads are written as everybody writes them") {
  const auto form = [](std::string_view head, std::string_view value, std::string_view end = "\r\n--b--\r\n") {
    return told_body("multipart/form-data; boundary=\"b\"",
                     std::string("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
                                 "<input name=\"locationId\" value=\"L9\">\r\n--b\r\n")
                         .append(head)
                         .append("\r\n\r\n")
                         .append(value)
                         .append(end));
  };
  const std::string disposition = "Content-Disposition: form-data; ";
  CHECK(form(disposition + "name=\"locationId\"", "L1") == "body L1");
  CHECK(form(disposition + "name=\"locationId[]\"", "L1") == "body L1");
  CHECK(form(disposition + "name=\"locationId\"\r\nContent-Type: text/plain", "L1") == "body L1");
  CHECK(form(disposition + "name=\"locationId[a]\"", "L1") == "conflicting");
  CHECK(form(disposition + "name=\"locationId\"", "L1",
             "\r\n--b\r\n" + disposition + "name=\"locationId\"\r\n\r\nL2\r\n--b--") == "conflicting");
  CHECK(form(disposition + "name=\"locations\"", "L1") == "unknown ");
  for (const std::string head : {"name=locationId", "Name=\"locationId\"", "name = \"locationId\"",
                                 "name*=utf-8''locationId", "name=\"x\"; name=\"locationId\""})
    CHECK_MESSAGE(form(disposition + head, "L1") == "unreadable", head);
  CHECK(form("content-disposition: form-data; name=\"locationId\"", "L1") == "unreadable");
  CHECK(form(disposition + "name=\"locationId\"\n\nL1\n--b\nX: y", "L2") == "unreadable");
  CHECK(form(disposition + "name=\"locationId\"", "L1", "") == "unreadable");  // it has no end
  CHECK(told_body("multipart/form-data", "--b\r\n" + disposition + "name=\"locationId\"\r\n\r\nL1") == "unreadable");
  CHECK(told_body("multipart/form-data", "--b\r\n\r\n") == "unknown ");
  // Nobody is refused for it where it does not matter.
  const std::vector<FieldView> fields{{"Content-Type", "multipart/form-data; boundary=b"}};
  CHECK(told({.fields = fields, .body = "--b\r\nX: locationId\r\n\r\nL1\r\n--b--", .credentials = "L3"}) ==
        "credentials L3");
}

TEST_CASE("a location is taken from the top of a JSON body") {
  CHECK(told({.fields = kJson, .body = R"({"a":{"locationId":"L9"},"locationId":"L1"})"}) == "body L1");
  CHECK(told({.fields = kJson, .body = R"({"location\u0049d":"L\u0031"})"}) == "body L1");
  CHECK(told({.fields = kJson, .body = R"({"a":{"locationId":"L9"}})"}) == "unknown ");
  CHECK(told({.fields = kJson, .body = R"({"locationId":"L1","locationId":"L2"})"}) == "conflicting");
  CHECK(told({.fields = kJson, .body = R"({"locationId":null})", .client = "L3"}) == "client L3");
}

TEST_CASE("the body's form decides how it is read") {
  CHECK(told_body("application/merge-patch+json", R"({"locationId":"L1"})") == "body L1");
  CHECK(told_body("APPLICATION/JSON", R"({"locationId":"L1"})") == "body L1");
  CHECK(told_body("", R"({"locationId":"L1"})") == "body L1");
  CHECK(told_body("", "not JSON") == "unknown ");
  CHECK(told_body("text/plain", R"({"locationId":"L1"})") == "unknown ");
  CHECK(told_body("application/x-www-form-urlencoded", "a=b&locationId=L%201") == "body L 1");
}

TEST_CASE("a body that cannot be read is refused where a location could hide in it and matter") {
  const std::string deep = R"({"a":)" + std::string(100, '[') + std::string(100, ']') + R"(,"locationId":"L1"})";
  CHECK(told_body("application/json", deep) == "unreadable");
  CHECK(told_body("application/json", R"({"locationId":"L1")") == "unreadable");
  CHECK(told_body("application/json", std::string(200'000, '[')) == "unreadable");
  CHECK(told({.query = "locationId=L1", .fields = kJson, .body = "{", .several = true}) == "unreadable");
  const std::vector<FieldView> coded{{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}};
  CHECK(told({.fields = coded, .body = "\x1f\x8b", .restricted = true}) == "unreadable");
  CHECK(told({.query = "locationId=L1", .fields = kJson, .body = "{"}) == "query L1");
  CHECK(told({.fields = kJson, .body = "{", .credentials = "L1"}) == "credentials L1");
}

TEST_CASE("an operation may spell it in another way in its query") {
  CHECK(told({.query = "location_id=L1", .parameter = "location_id"}) == "query L1");
  CHECK(told({.query = "location%5Fid=L%31&locationId=L1", .parameter = "location_id"}) == "query L1");
  CHECK(told({.query = "location_id=L1&locationId=L2", .parameter = "location_id"}) == "conflicting");
  CHECK(told({.query = "location_id=L1"}) == "unknown ");
  CHECK(told({.query = "=L1"}) == "unknown ");
}

TEST_CASE("a path that has a location names it like any other place") {
  CHECK(told({.path = "L%31+"}) == "path L1+");
  CHECK(told({.path = "L1", .query = "locationId=L1"}) == "path L1");
  CHECK(told({.path = "L1", .query = "locationId=L2"}) == "conflicting");
}

TEST_CASE("fields name it, by either name") {
  const std::vector<FieldView> sdk{{"locationid", "L1"}};
  CHECK(told({.fields = sdk, .client = "L2"}) == "field L1");
  const std::vector<FieldView> ours{{"X-Location-Id", "L1"}};
  CHECK(told({.fields = ours, .several = true}) == "field L1");
  const std::vector<FieldView> both{{"X-Location-Id", "L1"}, {"locationId", "L2"}};
  CHECK(told({.fields = both}) == "conflicting");
}

TEST_CASE("a request may not name one location to the gateway and another to upstream") {
  const std::vector<FieldView> fields{{"Content-Type", "application/json"}, {"locationId", "L1"}};
  CHECK(told({.query = "locationId=L2", .fields = fields}) == "conflicting");
  CHECK(told({.fields = fields, .body = R"({"locationId":"L2"})"}) == "conflicting");
  CHECK(told({.query = "locationId=L2", .fields = kJson, .body = R"({"locationId":"L1"})"}) == "conflicting");
  CHECK(told({.query = "locationId=L1", .fields = fields, .body = R"({"locationId":"L1"})"}) == "query L1");
}

TEST_CASE("without a name the client's own counts, then the credentials' own, and among several none is guessed") {
  CHECK(told({.client = "L1", .credentials = "L2"}) == "client L1");
  CHECK(told({.client = "L1", .several = true}) == "client L1");
  CHECK(told({.credentials = "L2"}) == "credentials L2");
  CHECK(told({.several = true}) == "missing");
  CHECK(told({}) == "unknown ");
}

TEST_CASE("a location survives being moved") {
  auto result = location_of({.query = "locationId=a%62"});
  const Location moved = std::move(std::get<Location>(result));
  CHECK(moved.id() == "ab");
  CHECK(moved.named());
}

TEST_SUITE_END();
