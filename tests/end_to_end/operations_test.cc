// All operations of the catalogue through the gateway, compared byte by byte with an equally seeded simulator that is
// asked directly. Both simulators see the same calls in the same order, so that the ids and dates they make are the
// same.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

struct Row {
  const char* operation;
  const char* method;
  const char* target;
  const char* body = "";
  int status = 200;
};

// Reads first, removals last, so that each finds what it names.
const Row kRows[] = {
    {"get-contact", "GET", "/contacts/contact0000000000001"},
    {"get-contacts", "GET", "/contacts/?locationId=loc_demo&limit=5"},
    {"search-contacts-advanced", "POST", "/contacts/search", R"({"locationId":"loc_demo","page":1,"pageLimit":5})"},
    {"get-duplicate-contact", "GET", "/contacts/search/duplicate?locationId=loc_demo&email=ada.1%40example.com"},
    {"get-contacts-by-businessId", "GET", "/contacts/business/business000000000001?locationId=loc_demo"},
    {"get-all-tasks", "GET", "/contacts/contact0000000000001/tasks"},
    {"get-task", "GET", "/contacts/contact0000000000001/tasks/task0000000000000100"},
    {"create-task", "POST", "/contacts/contact0000000000001/tasks",
     R"({"title":"Call","body":"soon","dueDate":"2020-10-25T11:00:00Z","completed":false})", 201},
    {"update-task", "PUT", "/contacts/contact0000000000001/tasks/task0000000000000100", R"({"title":"Write"})"},
    {"update-task-completed", "PUT", "/contacts/contact0000000000001/tasks/task0000000000000100/completed",
     R"({"completed":true})"},
    {"get-all-notes", "GET", "/contacts/contact0000000000001/notes"},
    {"get-note", "GET", "/contacts/contact0000000000001/notes/note0000000000000100"},
    {"create-note", "POST", "/contacts/contact0000000000001/notes", R"({"body":"met at the fair"})", 201},
    {"update-note", "PUT", "/contacts/contact0000000000001/notes/note0000000000000100", R"({"body":"met twice"})"},
    {"get-appointments-for-contact", "GET", "/contacts/contact0000000000001/appointments"},
    {"add-tags", "POST", "/contacts/contact0000000000001/tags", R"({"tags":["vip","fair"]})", 201},
    {"remove-tags", "DELETE", "/contacts/contact0000000000001/tags", R"({"tags":["fair"]})"},
    {"add-followers-contact", "POST", "/contacts/contact0000000000001/followers",
     R"({"followers":["sx6wyHhbFdRXh302Lunr"]})", 201},
    {"remove-followers-contact", "DELETE", "/contacts/contact0000000000001/followers",
     R"({"followers":["sx6wyHhbFdRXh302Lunr"]})"},
    {"add-contact-to-campaign", "POST", "/contacts/contact0000000000001/campaigns/campaign000000000001", "{}", 201},
    {"remove-contact-from-campaign", "DELETE", "/contacts/contact0000000000001/campaigns/campaign000000000001"},
    {"remove-contact-from-every-campaign", "DELETE", "/contacts/contact0000000000001/campaigns/removeAll"},
    {"add-contact-to-workflow", "POST", "/contacts/contact0000000000001/workflow/workflow000000000001",
     R"({"eventStartTime":"2021-06-23T03:30:00+01:00"})"},
    {"delete-contact-from-workflow", "DELETE", "/contacts/contact0000000000001/workflow/workflow000000000001",
     R"({"eventStartTime":"2021-06-23T03:30:00+01:00"})"},
    {"bulk-update-tags", "POST", "/contacts/bulk/tags/update/add",
     R"({"locationId":"loc_demo","contacts":["contact0000000000001","contact0000000000002"],"tags":["mail"]})", 201},
    {"bulk-update-business", "POST", "/contacts/bulk/business",
     R"({"locationId":"loc_demo","ids":["contact0000000000001"],"businessId":"63771dcac1116f0e21de8e12"})"},
    {"update-contact", "PUT", "/contacts/contact0000000000001", R"({"firstName":"Grace"})"},
    {"create-contact", "POST", "/contacts/", R"({"locationId":"loc_demo","firstName":"Lin","email":"lin@example.com"})",
     201},
    {"upsert-contact", "POST", "/contacts/upsert",
     R"({"locationId":"loc_demo","firstName":"Lina","email":"lin@example.com"})"},
    {"delete-task", "DELETE", "/contacts/contact0000000000001/tasks/task0000000000000100"},
    {"delete-note", "DELETE", "/contacts/contact0000000000001/notes/note0000000000000100"},
    {"delete-contact", "DELETE", "/contacts/contact0000000000001"},
    // The API's own refusals pass as they are.
    {"get-contact", "GET", "/contacts/contact0000000000001?once=more", "", 400},
    {"create-contact", "POST", "/contacts/", R"({"locationId":"loc_demo","email":7})", 422},
    {"get-contact", "GET", "/contacts/contact0000000000099", "", 400},
    {"update-contact", "PUT", "/contacts/contact0000000000002", "no JSON", 400},
};

SimulatorOptions equal_bytes() { return {.arguments = {"--seed", "42", "--clock", "logical", "--limit", "1000"}}; }

HttpRequest request_of(const Row& row, bool direct) {
  HttpRequest request{.method = row.method, .target = row.target, .fields = {}, .body = row.body};
  if (!request.body.empty()) request.fields.emplace_back("Content-Type", "application/json");
  if (direct) request.fields.emplace_back("Authorization", "Bearer simulator-token");
  if (direct) request.fields.emplace_back("Version", "2021-07-28");
  return request;
}

// What of an answer must be equal: all but the clock's part and the framing, which is compared by the body itself.
std::string comparable(const HttpResponse& response, const std::set<std::string>& left_out) {
  std::string fields;
  for (const auto& [name, value] : response.fields)
    if (!left_out.contains(name)) fields.append(name).append(": ").append(value).append("\n");
  return fields;
}

void compare(const HttpResponse& through, const HttpResponse& direct) {
  const std::set<std::string> clocks{"Date", "X-RateLimit-Daily-Reset", "Content-Length"};
  std::set<std::string> added = clocks;
  for (const char* name :
       {"Via", "X-Request-Id", "Cache-Status", "Age", "Server-Timing", "RateLimit", "RateLimit-Policy"})
    added.insert(name);
  if (!direct.has("ETag")) added.insert("ETag");
  CHECK(through.status == direct.status);
  CHECK(through.body == direct.body);
  CHECK(comparable(through, added) == comparable(direct, clocks));
  CHECK(through.field("Content-Length") == direct.field("Content-Length"));
  CHECK(through.has("Cache-Status"));
  CHECK(through.has("X-Request-Id"));
}

}  // namespace

TEST_SUITE("operations") {
  TEST_CASE("every operation answers through the gateway what the simulator answers directly, byte for byte") {
    SimulatorProcess behind(equal_bytes()), asked(equal_bytes());
    GatewayProcess gateway({.upstream = behind.url(),
                            .settings = {{"credentials.token", "simulator-token"}, {"rate_limit.requests", "1000"}}});
    HttpClient through(gateway.address()), direct(asked.address());
    for (const Row& row : kRows) {
      CAPTURE(std::string(row.operation));
      CAPTURE(std::string(row.target));
      const HttpResponse expected = direct.send(request_of(row, true));
      CHECK_MESSAGE(expected.status == row.status, expected.body);
      compare(through.send(request_of(row, false)), expected);
    }
  }

  TEST_CASE("the table above names every operation of the catalogue and no other") {
    Process program({.arguments = {test_support::binary_dir() + "/contacts-gateway", "operations", "--json"},
                     .environment = {},
                     .unset_prefix = "GATEWAY_"});
    REQUIRE(program.wait_for_exit(milliseconds{20'000}) == 0);
    const Json catalogue(program.output(Stream::Out));
    std::set<std::string> named, known;
    for (const Row& row : kRows) named.insert(row.operation);
    for (std::size_t i = 0; i < catalogue.size("operations"); ++i)
      known.insert(catalogue.text("operations." + std::to_string(i) + ".name"));
    CHECK(known.size() == 32);
    CHECK(named == known);
  }

  TEST_CASE("a wrong method is 405 with what is allowed, a path outside the catalogue is 404, both the gateway's own") {
    SimulatorProcess simulator;
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}});
    HttpClient client(gateway.address());
    const HttpResponse method = client.send({.method = "PATCH", .target = "/contacts/contact0000000000001"});
    CHECK(method.status == 405);
    CHECK(method.field("Allow").find("PUT") != std::string::npos);
    const HttpResponse path = client.get("/nothing/here");
    CHECK(path.status == 404);
    for (const HttpResponse& response : {method, path}) {
      CHECK(response.field("Content-Type") == "application/problem+json");
      CHECK(Json(response.body).integer("status") == response.status);
    }
  }
}
