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
    // The neighbours.
    {"get-lost-reason", "GET", "/opportunities/lost-reason?locationId=loc_demo"},
    {"search-opportunity", "GET", "/opportunities/search?location_id=loc_demo"},
    {"search-opportunities-advanced", "POST", "/opportunities/search",
     R"({"locationId":"loc_demo","query":"deal","limit":20,"page":1,"searchAfter":[],"additionalDetails":{}})"},
    {"get-pipelines", "GET", "/opportunities/pipelines?locationId=loc_demo"},
    {"get-opportunity", "GET", "/opportunities/opportunity000000001"},
    {"update-opportunity", "PUT", "/opportunities/opportunity000000001", R"({"monetaryValue":7})"},
    {"update-opportunity-status", "PUT", "/opportunities/opportunity000000001/status", R"({"status":"won"})"},
    {"add-followers-opportunity", "POST", "/opportunities/opportunity000000001/followers",
     R"({"followers":["sx6wyHhbFdRXh302Lunr"]})", 201},
    {"remove-followers-opportunity", "DELETE", "/opportunities/opportunity000000001/followers",
     R"({"followers":["sx6wyHhbFdRXh302Lunr"]})"},
    {"upsert-opportunity", "POST", "/opportunities/upsert",
     R"({"id":"opportunity000000002","pipelineId":"p","locationId":"loc_demo","followers":["u"],"isRemoveAllFollowers":false,"followersActionType":"add","name":"Deal"})"},
    {"create-opportunity", "POST", "/opportunities/",
     R"({"pipelineId":"p","locationId":"loc_demo","name":"Deal","status":"open","contactId":"contact0000000000002"})",
     201},
    {"delete-opportunity", "DELETE", "/opportunities/opportunity000000001"},
    {"get-business", "GET", "/businesses/business000000000001"},
    {"get-businesses-by-location", "GET", "/businesses/?locationId=loc_demo"},
    {"create-business", "POST", "/businesses/", R"({"name":"Mill","locationId":"loc_demo"})", 201},
    {"update-business", "PUT", "/businesses/business000000000001", R"({"name":"Old Mill"})"},
    {"delete-business", "DELETE", "/businesses/business000000000001"},
    {"get-custom-field-by-id", "GET", "/custom-fields/field000000000000001"},
    {"get-custom-fields-by-object-key", "GET", "/custom-fields/object-key/custom_object.pet?locationId=loc_demo"},
    {"create-custom-field", "POST", "/custom-fields/",
     R"({"locationId":"loc_demo","name":"Age","showInForms":true,"dataType":"TEXT","fieldKey":"k.age","objectKey":"k","parentId":"f"})",
     201},
    {"update-custom-field", "PUT", "/custom-fields/field000000000000001",
     R"({"locationId":"loc_demo","showInForms":false})"},
    {"delete-custom-field", "DELETE", "/custom-fields/field000000000000001"},
    {"create-custom-field-folder", "POST", "/custom-fields/folder",
     R"({"objectKey":"k","name":"New","locationId":"loc_demo"})", 201},
    {"update-custom-field-folder", "PUT", "/custom-fields/folder/folder00000000000001",
     R"({"name":"New","locationId":"loc_demo"})"},
    {"delete-custom-field-folder", "DELETE", "/custom-fields/folder/folder00000000000001?locationId=loc_demo"},
    {"get-campaigns", "GET", "/campaigns/?locationId=loc_demo"},
    {"get-workflow", "GET", "/workflows/?locationId=loc_demo"},
    {"search-users", "GET", "/users/search?companyId=company1"},
    {"filter-users-by-email", "POST", "/users/search/filter-by-email",
     R"({"companyId":"company1","emails":"ada@example.com"})"},
    {"get-user", "GET", "/users/user0000000000000001"},
    {"get-user-by-location", "GET", "/users/?locationId=loc_demo"},
    {"create-user", "POST", "/users/",
     R"({"companyId":"c","firstName":"Al","lastName":"An","email":"al@example.com","password":"secret","type":"account","role":"admin","locationIds":["loc_demo"]})",
     201},
    {"update-user", "PUT", "/users/user0000000000000001", R"({"firstName":"Al"})"},
    {"delete-user", "DELETE", "/users/user0000000000000001"},
    {"get-forms", "GET", "/forms/?locationId=loc_demo"},
    {"get-forms-submissions", "GET", "/forms/submissions?locationId=loc_demo&limit=20"},
    {"upload-to-custom-fields", "POST", "/forms/upload-custom-files?contactId=contact0000000000002&locationId=loc_demo",
     "--b\r\nContent-Disposition: form-data; name=\"field000000000000001_f\"; "
     "filename=\"a.pdf\"\r\n\r\n\x01\xff\r\n--b--\r\n"},
    // The API's own refusals pass as they are.
    {"get-opportunity", "GET", "/opportunities/gone", "", 400},
    {"create-business", "POST", "/businesses/", R"({"locationId":"loc_demo"})", 422},
    {"get-contact", "GET", "/contacts/contact0000000000001?once=more", "", 400},
    {"create-contact", "POST", "/contacts/", R"({"locationId":"loc_demo","email":7})", 422},
    {"get-contact", "GET", "/contacts/contact0000000000099", "", 400},
    {"update-contact", "PUT", "/contacts/contact0000000000002", "no JSON", 400},
};

SimulatorOptions equal_bytes() { return {.arguments = {"--seed", "42", "--clock", "logical", "--limit", "1000"}}; }

HttpRequest request_of(const Row& row, bool direct) {
  HttpRequest request{.method = row.method, .target = row.target, .fields = {}, .body = row.body};
  if (!request.body.empty())
    request.fields.emplace_back(
        "Content-Type", request.body.starts_with("--") ? "multipart/form-data; boundary=b" : "application/json");
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

  TEST_CASE("every read and search among them is a hit the second time, with the bytes of the first") {
    SimulatorProcess simulator(equal_bytes());
    GatewayProcess gateway({.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"}, {"rate_limit.requests", "1000"}}});
    HttpClient client(gateway.address());
    const std::set<std::string> reads{"get", "search", "filter"};
    for (const Row& row : kRows) {
      const std::string name = row.operation;
      if (!reads.contains(name.substr(0, name.find('-'))) || row.status != 200) continue;
      CAPTURE(name);
      const HttpResponse first = client.send(request_of(row, false)), second = client.send(request_of(row, false));
      CHECK(first.status == 200);
      CHECK(second.field("Cache-Status").starts_with("contacts-gateway; hit"));
      CHECK(second.body == first.body);
    }
  }

  TEST_CASE("a neighbour's write is seen at once in the contacts it changes, and a contact's in its opportunities") {
    SimulatorProcess simulator;
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}});
    HttpClient client(gateway.address());
    const auto send = [&](const char* method, const std::string& target, const std::string& body = "") {
      HttpRequest request{.method = method, .target = target, .fields = {}, .body = body};
      if (!body.empty()) request.fields.emplace_back("Content-Type", "application/json");
      const HttpResponse response = client.send(request);
      CHECK_MESSAGE(response.status / 100 == 2, target << " " << response.body);
      return response.body;
    };
    const std::string contact = "/contacts/contact0000000000001", deal = "/opportunities/opportunity000000001",
                      user = "user0000000000000001", business = "business000000000001";
    send("POST", "/contacts/bulk/business",
         R"({"locationId":"loc_demo","ids":["contact0000000000001"],"businessId":")" + business + "\"}");
    send("PUT", contact, R"({"assignedTo":")" + user + "\"}");
    CHECK(send("GET", contact).find(business) != std::string::npos);
    CHECK(send("GET", contact).find(user) != std::string::npos);
    CHECK(send("GET", deal).find("renamed@example.com") == std::string::npos);

    send("PUT", contact, R"({"email":"renamed@example.com"})");
    CHECK(send("GET", deal).find("renamed@example.com") != std::string::npos);
    send("GET", contact);
    send("DELETE", "/businesses/" + business);
    CHECK(send("GET", contact).find(business) == std::string::npos);
    send("DELETE", "/users/" + user);
    CHECK(send("GET", contact).find(user) == std::string::npos);
    send("GET", "/opportunities/search?location_id=loc_demo");
    send("PUT", deal + "/status", R"({"status":"won"})");
    CHECK(send("GET", "/opportunities/search?location_id=loc_demo").find("\"won\"") != std::string::npos);
    send("GET", contact);
    client.send({.method = "POST",
                 .target = "/forms/upload-custom-files?contactId=contact0000000000001&locationId=loc_demo",
                 .fields = {{"Content-Type", "multipart/form-data; boundary=b"}},
                 .body = "--b--\r\n"});
    CHECK(send("GET", contact).find("field000000000000001") != std::string::npos);
  }

  TEST_CASE("a client of some locations reaches no whole company, and a search of opportunities names its location") {
    const std::string key = "cgk_test-key-for-the-records";
    const std::string hash =
        "sha256:00112233445566778899aabbccddeeff:f070d2fee4f6f700cd41567e89781e1ae165096eed68821c40534ff9768830dc";
    SimulatorProcess simulator;
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {}, .config = R"({
      "credentials": {"token": "simulator-token"},
      "clients": [{"name": "crm", "key_hash": ")" + hash + R"(", "locations": ["loc_demo"]}]})"});
    HttpClient client(gateway.address());
    const auto status = [&](const std::string& target) {
      return client.get(target, {{"Authorization", "Bearer " + key}}).status;
    };
    CHECK(status("/users/search?companyId=c&locationId=loc_demo") == 403);
    CHECK(status("/users/?locationId=loc_demo") == 200);
    CHECK(status("/opportunities/search?location_id=loc_demo") == 200);
    CHECK(status("/opportunities/search?location_id=loc_other") == 403);
    CHECK(status("/opportunities/search?location_id=loc_other&locationId=loc_demo") == 400);
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
    CHECK(known.size() == 69);
    CHECK(named == known);
    CHECK(known.size() + catalogue.size("triggers") == 127);
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
