// Whole records, and the reconciliation stream's contents: what is in them, what happens to a part that fails, and that
// each contact is there exactly once whatever changes meanwhile.
#include <doctest/doctest.h>

#include "tests/end_to_end/records_stream.h"
#include "tests/support/collector.h"
#include "tests/support/gateway_process.h"
#include "tests/support/gzip.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

using namespace test_support;
using records_test::Export, records_test::kRecords, records_test::lines_of;

namespace {

const std::string kRecord = "/gateway/contacts/contact0000000000001/record";

struct Pair {
  explicit Pair(std::vector<std::string> simulated = {}, std::string config = {})
      : simulator({unlimited(std::move(simulated))}) {
    GatewayOptions options{
        .upstream = simulator.url(), .settings = {{"rate_limit.requests", "100000"}}, .config = config};
    if (config.empty()) options.settings.emplace_back("credentials.token", "simulator-token");
    gateway.emplace(options);
    client.emplace(gateway->address());
  }
  static std::vector<std::string> unlimited(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--limit", "100000"});
    return arguments;
  }
  HttpResponse control(const std::string& method, const std::string& what, const std::string& body = "{}") {
    return HttpClient(simulator.address()).send({.method = method, .target = "/_simulator/" + what, .body = body});
  }
  void fault(const std::string& path, const std::string& fault, int count = 1000) {
    CHECK(control("POST", "faults",
                  R"({"match":{"path_prefix":")" + path + R"("},"fault":")" + fault + R"(","count":)" +
                      std::to_string(count) + "}")
              .status == 200);
  }
  void write(const std::string& method, const std::string& target, const std::string& body = "") {
    HttpRequest request{.method = method, .target = target, .fields = {}, .body = body};
    if (!body.empty()) request.fields.emplace_back("Content-Type", "application/json");
    const auto response = client->send(request);
    CHECK_MESSAGE(response.status / 100 == 2, response.body);
  }
  std::string operations_asked() { return control("GET", "books").body; }

  SimulatorProcess simulator;
  std::optional<GatewayProcess> gateway;
  std::optional<HttpClient> client;
};

}  // namespace

TEST_SUITE("records") {
  TEST_CASE("a whole record holds the contact and its parts as their own operations answer them, from the cache") {
    Pair pair;
    const HttpResponse first = pair.client->get(kRecord);
    REQUIRE(first.status == 200);
    const Json record(first.body);
    CHECK(record.names("") == std::vector<std::string>{"contact", "notes", "tasks", "appointments"});
    const std::string path = "/contacts/contact0000000000001";
    for (const auto& [name, target, member] : {std::tuple{"contact", path, "contact"},
                                               {"notes", path + "/notes", "notes"},
                                               {"tasks", path + "/tasks", "tasks"},
                                               {"appointments", path + "/appointments", "events"}}) {
      CAPTURE(name);
      const HttpResponse part = pair.client->get(target);
      CHECK(part.field("Cache-Status").starts_with("contacts-gateway; hit"));  // the record has filled it
      const auto begin = part.body.find("\"" + std::string(member) + "\":") + std::string(member).size() + 3;
      CHECK(first.body.find("\"" + std::string(name) + "\":" + part.body.substr(begin, part.body.size() - begin - 1)) !=
            std::string::npos);
    }
    const HttpResponse again = pair.client->get(kRecord);
    CHECK(again.body == first.body);
    CHECK(again.field("Cache-Status").find("fwd=") == std::string::npos);
    for (const char* key : {"contact", "notes", "tasks", "appointments"})
      CHECK(again.field("Cache-Status").find("; key=\"" + std::string(key) + "\"") != std::string::npos);
  }

  TEST_CASE("its ETag is that of all: 304 while nothing changed, another one after any part did") {
    Pair pair;
    const HttpResponse first = pair.client->get(kRecord);
    const std::string etag = first.field("ETag");
    CHECK(etag.starts_with("\""));
    const HttpResponse same = pair.client->get(kRecord, {{"If-None-Match", "\"x\", " + etag}});
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.field("ETag") == etag);
    const HttpResponse head = pair.client->send({.method = "HEAD", .target = kRecord});
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    CHECK(head.field("ETag") == etag);
    CHECK(head.field("Content-Length") == first.field("Content-Length"));
    CHECK(pair.client->get(kRecord + "?include=notes").field("ETag") != etag);
    pair.write("PUT", "/contacts/contact0000000000001/notes/note0000000000000100", R"({"body":"met again"})");
    const HttpResponse changed = pair.client->get(kRecord, {{"If-None-Match", etag}});
    CHECK(changed.status == 200);
    CHECK(changed.body.find("met again") != std::string::npos);
    CHECK(changed.field("ETag") != etag);
  }

  TEST_CASE("a part that fails is named with its problem and hides nothing else") {
    Pair pair;
    pair.fault("/contacts/contact0000000000001/notes", "status=400");
    pair.fault("/contacts/contact0000000000001/tasks", "garbage");
    const HttpResponse response = pair.client->get(kRecord);
    CHECK(response.status == 200);
    CHECK_FALSE(response.has("ETag"));
    const Json record(response.body);
    CHECK(record.names("") == std::vector<std::string>{"contact", "appointments", "problems"});
    CHECK(record.integer("problems.notes.status") == 400);
    CHECK(record.text("problems.notes.upstream.message") == "Fault on request");
    CHECK(record.text("problems.tasks.type") == "https://contacts-gateway.dev/problems/upstream-protocol");
    CHECK(record.size("appointments") == 1);
    pair.control("DELETE", "faults");
    CHECK(Json(pair.client->get(kRecord).body).size("") == 4);
  }

  TEST_CASE("a contact that is not there is passed on as upstream says it; what is asked wrongly is told") {
    Pair pair({"--not-found", "404"});
    const HttpResponse missing = pair.client->get("/gateway/contacts/contact9990000000001/record");
    CHECK(missing.status == 404);
    CHECK(missing.body == pair.client->get("/contacts/contact9990000000001").body);
    const HttpResponse unknown = pair.client->get(kRecord + "?include=notes,deals");
    CHECK(unknown.status == 400);
    CHECK(Json(unknown.body).text("detail").find("notes, tasks, appointments") != std::string::npos);
    CHECK(Json(pair.client->get(kRecord + "?include=").body).size("") == 1);
    const HttpResponse method = pair.client->send({.method = "POST", .target = kRecord});
    CHECK(method.status == 405);
    CHECK(method.field("Allow") == "GET, HEAD");
    CHECK(pair.client->get("/gateway/contacts/c1").status == 404);
    const auto metrics = HttpClient(pair.gateway->admin_address()).get("/metrics").body;
    CHECK(metrics.find(R"(gateway_requests_total{operation="get-record",method="GET",code="404")") !=
          std::string::npos);
    CHECK(metrics.find(R"(gateway_cache_requests_total{operation="get-record")") == std::string::npos);
  }

  TEST_CASE("its parts are fetched side by side") {
    Pair pair({"--latency", "400ms"});
    const auto begin = std::chrono::steady_clock::now();
    CHECK(pair.client->get(kRecord).status == 200);
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took < milliseconds(4 * 400 - 200));  // one after another they would take at least four times 400 ms
  }

  TEST_CASE("clients, locations and kinds of operations count for the own paths too") {
    const std::string hash =
        "sha256:00112233445566778899aabbccddeeff:f070d2fee4f6f700cd41567e89781e1ae165096eed68821c40534ff9768830dc";
    Pair pair({"--location", "loc_demo", "--location", "loc_other"},
              R"({"credentials":{"token":"simulator-token"},"clients":[{"name":"crm","key_hash":")" + hash +
                  R"(","locations":["loc_demo"],"operations":["read"]}]})");
    const auto status = [&](const std::string& target, bool key = true) {
      HttpFields fields;
      if (key) fields.emplace_back("Authorization", "Bearer cgk_test-key-for-the-records");
      return pair.client->get(target, fields).status;
    };
    CHECK(status(kRecord, false) == 401);
    CHECK(status(kRecord) == 200);  // it names no location, and the client has one
    CHECK(status(kRecord + "?locationId=loc_demo") == 200);
    CHECK(status(kRecords) == 200);
    CHECK(status("/gateway/locations/loc_other/records") == 403);
    CHECK(status(kRecords + "?locationId=loc_other") == 400);
  }

  TEST_CASE("the stream has each contact of the location once, with its parts, and ends with how many") {
    Pair pair({"--contacts", "230"});
    const HttpResponse response = pair.client->get(kRecords + "?include=tasks,notes&progress=true");
    CHECK(response.status == 200);
    CHECK(response.field("Content-Type") == "application/x-ndjson");
    const Export all(response.body);
    CHECK(all.ids.size() == 230);
    CHECK(all.progress >= 1);
    CHECK(Json(all.last).integer("end.done") == 230);
    const Json first(lines_of(response.body).front());
    CHECK(first.names("") == std::vector<std::string>{"contact", "notes", "tasks", "cursor"});
    CHECK(first.text("notes.0.contactId") == first.text("contact.id"));
    CHECK(Export(pair.client->get(kRecords).body).progress == 0);
    CHECK(pair.client->send({.method = "HEAD", .target = kRecords}).body.empty());
  }

  TEST_CASE("a cursor goes on behind its own record, wherever that stood, and only where it was begun") {
    Pair pair({"--contacts", "230", "--location", "loc_demo", "--location", "loc_other"});
    const Export all(pair.client->get(kRecords + "?include=notes").body);
    REQUIRE(all.ids.size() == 230);
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{42}, std::size_t{99}, std::size_t{100}, std::size_t{228}, std::size_t{229}}) {
      const Export rest(pair.client->get(kRecords + "?cursor=" + all.cursors[at]).body);
      CHECK(rest.order == std::vector<std::string>(all.order.begin() + at + 1, all.order.end()));
      CHECK(Json(rest.last).integer("end.done") == 230);
    }
    const auto refused = [&](const std::string& target) {
      const HttpResponse response = pair.client->get(target);
      return std::to_string(response.status) + " " + Json(response.body).text("type");
    };
    const std::string bad = "400 https://contacts-gateway.dev/problems/bad-cursor";
    CHECK(refused(kRecords + "?cursor=nonsense") == bad);
    CHECK(refused(kRecords + "?include=tasks&cursor=" + all.cursors[7]) == bad);
    CHECK(refused("/gateway/locations/loc_other/records?cursor=" + all.cursors[7]) == bad);
    CHECK(refused(kRecords + "?include=deals") == "400 https://contacts-gateway.dev/problems/unknown-part");
  }

  TEST_CASE("what comes and goes while an export waits to go on moves no contact that stays") {
    Pair pair({"--contacts", "230"});
    const Export before(pair.client->get(kRecords).body);
    std::set<std::string> seen(before.order.begin(), before.order.begin() + 150);
    const auto erase = [&](std::size_t at) {
      pair.control("POST", "edit", R"({"contactId":")" + before.order[at] + R"(","delete":true})");
    };
    erase(149);  // the very contact that the cursor stands on
    erase(99);   // the one that its page begins behind
    erase(10);
    erase(200);
    pair.control("POST", "edit",
                 R"({"method":"POST","path":"/contacts/","body":{"locationId":"loc_demo","name":"New"}})");
    const Export rest(pair.client->get(kRecords + "?cursor=" + before.cursors[149]).body);
    for (const auto& id : rest.order) CHECK(seen.insert(id).second);
    for (std::size_t i = 0; i < before.order.size(); ++i)
      if (i != 200) CHECK(seen.contains(before.order[i]));
    CHECK_FALSE(seen.contains(before.order[200]));
  }

  TEST_CASE("a stream that goes wrong ends with the problem and a cursor to go on from") {
    Pair pair({"--contacts", "230"});
    const Export whole(pair.client->get(kRecords).body);
    pair.fault("/contacts/" + whole.order[205] + "/notes", "status=503;retry-after=3600");  // longer than it waits
    const HttpResponse response = pair.client->get(kRecords + "?include=notes");
    const Export part(response.body);
    CHECK(response.status == 200);
    CHECK(part.ids.size() == 205);
    const Json last(part.last);
    CHECK(last.integer("problem.status") == 503);
    CHECK(last.text("cursor") == part.cursors.back());
    pair.control("DELETE", "faults");
    const Export rest(pair.client->get(kRecords + "?cursor=" + last.text("cursor")).body);
    CHECK(rest.order == std::vector<std::string>(whole.order.begin() + 205, whole.order.end()));
  }

  TEST_CASE(
      "a contact that is refused its parts is in the stream all the same, and a first page's refusal is its own") {
    Pair pair({"--contacts", "30"});
    pair.fault("/contacts/contact0000000000007/notes", "status=501");
    const HttpResponse response = pair.client->get(kRecords + "?include=notes");
    CHECK(Export(response.body).ids.size() == 30);
    CHECK(response.body.find(R"("problems":{"notes":)") != std::string::npos);
    pair.fault("/contacts/", "status=403");
    CHECK(pair.client->get(kRecords).status == 403);
  }

  TEST_CASE("a record is one line also where upstream's JSON has line breaks between its tokens") {
    Collector upstream;
    upstream.answer_with([](const Collector::Request& request) {
      if (request.head.find("startAfterId=") != std::string::npos)
        return std::string("{\r\n \"contacts\": []\r\n}\r\n");
      return std::string("{\n \"contacts\": [\n  {\r\n   \"id\": \"a\",\n   \"name\": \"in\\ntwo\"\r}\n ]\n}\n");
    });
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    const auto body = HttpClient(gateway.address()).get(kRecords).body;
    const auto lines = lines_of(body);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].starts_with(R"({"contact":{     "id": "a",    "name": "in\ntwo" },"cursor":)"));
    CHECK(body.find('\r') == std::string::npos);
    CHECK(Json(lines[1]).integer("end.done") == 1);
  }

  TEST_CASE("what the gateway asks for itself it asks for without a coding, and may begin with a byte order mark") {
    Collector upstream;
    upstream.answer_with([](const Collector::Request& request) {
      const bool plain = request.head.find("Accept-Encoding: identity") != std::string::npos;
      const bool list = request.head.find("/contacts/?") != std::string::npos;
      const bool behind = request.head.find("startAfterId=") != std::string::npos;
      if (!plain) return std::string("\x1f\x8b");
      return "\xEF\xBB\xBF" + std::string(!list    ? R"({"contact":{"id":"a"}})"
                                          : behind ? R"({"contacts":[]})"
                                                   : R"({"contacts":[{"id":"a"}]})");
    });
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    HttpClient client(gateway.address());
    for (const HttpFields& fields : {HttpFields{}, HttpFields{{"Accept-Encoding", "gzip"}}}) {
      const auto record = client.get("/gateway/contacts/a/record?include=", fields);
      CHECK(record.status == 200);
      CHECK(record.body == "{\"contact\":{\"id\":\"a\"}}\n");
      CHECK(Export(client.get(kRecords, fields).body).ids.size() == 1);
    }
  }

  TEST_CASE(
      "an upstream that compresses without being asked is read, and one that nobody can read is said to be that") {
    Collector upstream;
    const auto answer_in = [&](const std::string& coding, bool gzip) {
      upstream.answer_with(
          [gzip](const Collector::Request& request) {
            const bool list = request.head.find("/contacts/?") != std::string::npos;
            const bool behind = request.head.find("startAfterId=") != std::string::npos;
            const std::string body = !list    ? R"({"contact":{"id":"a"}})"
                                     : behind ? R"({"contacts":[]})"
                                              : R"({"contacts":[{"id":"a"}]})";
            return gzip ? compressed(body) : "?" + body;
          },
          "Content-Encoding: " + coding + "\r\n");
    };
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    HttpClient client(gateway.address());
    answer_in("gzip", true);
    const auto record = client.get("/gateway/contacts/a/record?include=");
    CHECK(record.status == 200);
    CHECK(record.body == "{\"contact\":{\"id\":\"a\"}}\n");
    CHECK(Export(client.get(kRecords).body).ids.size() == 1);
    answer_in("br", false);
    const auto unread = client.get("/gateway/contacts/b/record?include=");
    CHECK(unread.status == 502);
    CHECK(unread.body.find("in a coding that was not asked for") != std::string::npos);
  }
}
