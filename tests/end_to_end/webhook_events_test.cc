// Every event of the catalogue, as its sender writes it, to a real gateway: it is taken under its own name and drops
// from the cache what it concerns and nothing else.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

const std::string kOne = "/contacts/contact0000000000001", kOther = "/contacts/contact0000000000002";
const std::set<std::string> kOfTheContact{"ContactCreate",
                                          "ContactDelete",
                                          "ContactDndUpdate",
                                          "ContactTagUpdate",
                                          "ContactUpdate",
                                          "NoteCreate",
                                          "NoteDelete",
                                          "NoteUpdate",
                                          "TaskComplete",
                                          "TaskCreate",
                                          "TaskDelete",
                                          "OpportunityCreate",
                                          "OpportunityDelete",
                                          "OpportunityUpdate",
                                          "OpportunityStageUpdate",
                                          "OpportunityAssignedToUpdate",
                                          "OpportunityMonetaryValueUpdate",
                                          "OpportunityStatusUpdate"};
const std::set<std::string> kOfTheLocation{"AppInstall", "AppUninstall", "LocationCreate", "LocationUpdate"};
const std::set<std::string> kOfItsAppointments{"AppointmentCreate", "AppointmentDelete", "AppointmentUpdate"};

// What the vendor's bodies have in common: the subject's id, its contact, its location.
std::string body_of(const std::string& name, const std::string& type, int number) {
  const bool of_contact = name.starts_with("Contact");
  const bool of_location = name.starts_with("Location");
  const std::string id = of_contact ? "contact0000000000001" : of_location ? "loc_demo" : "subject1";
  return R"({"event":{"type":")" + type + R"(","id":")" + id +
         R"(","locationId":"loc_demo","contactId":"contact0000000000001","webhookId":"w)" + std::to_string(number) +
         R"(","appointment":{"id":"a1","contactId":"contact0000000000001"}}})";
}

}  // namespace

TEST_SUITE("webhook events") {
  TEST_CASE("each of the 58 events is taken under its name and makes stale what it concerns and nothing else") {
    SimulatorProcess simulator({.arguments = {"--limit", "0", "--daily", "0"}});
    HttpClient upstream(simulator.address(), milliseconds(20'000));
    const auto control = [&](const std::string& target, const std::string& body) {
      const auto answer = upstream.send(
          {.method = "POST", .target = target, .fields = {{"Content-Type", "application/json"}}, .body = body});
      REQUIRE_MESSAGE(answer.status == 200, answer.body);
    };
    const auto book = [&](const char* name) { return Json(upstream.get("/_simulator/webhooks").body).integer(name); };
    GatewayProcess gateway(
        {.upstream = simulator.url(),
         .settings = {{"credentials.token", "simulator-token"},
                      {"cache.operations.get-contact.fresh", "1h"},
                      {"cache.operations.get-appointments-for-contact.fresh", "1h"},
                      {"rate_limit.requests", "100000"},
                      {"webhooks.public_key", Json(upstream.get("/_simulator/webhooks").body).text("public_key")}}});
    control("/_simulator/webhooks", R"({"url":"http://)" + gateway.address() + R"(/webhooks/leadconnector"})");
    HttpClient client(gateway.address(), milliseconds(20'000));
    const auto hit = [&](const std::string& target) {
      const auto answer = client.get(target);
      REQUIRE(answer.status == 200);
      return answer.field("Cache-Status").find("; hit") != std::string::npos;
    };

    std::ifstream in(source_dir() + "/policies/catalogue/events.json", std::ios::binary);
    const Json events(std::string(std::istreambuf_iterator<char>(in), {}));
    REQUIRE(events.size("triggers") == 58);
    for (int i = 0; i < 58; ++i) {
      const auto at = "triggers." + std::to_string(i);
      const auto name = events.text(at + ".name");
      CAPTURE(name);
      for (const auto& target : {kOne, kOther, kOne + "/appointments"}) client.get(target);
      CHECK(hit(kOne));
      CHECK(hit(kOther));
      CHECK(hit(kOne + "/appointments"));
      const auto delivered = book("delivered");
      control("/_simulator/webhooks/send",
              body_of(name, events.has(at + ".types") ? events.text(at + ".types.0") : name, i));
      REQUIRE(eventually(milliseconds(20'000), [&] { return book("delivered") == delivered + 1; }));
      CHECK(hit(kOther) == !kOfTheLocation.contains(name));
      CHECK(hit(kOne) == !(kOfTheLocation.contains(name) || kOfTheContact.contains(name)));
      const bool appointments =
          kOfTheLocation.contains(name) || kOfItsAppointments.contains(name) || name == "ContactDelete";
      CHECK(hit(kOne + "/appointments") == !appointments);
      const auto metrics = HttpClient(gateway.admin_address()).get("/metrics").body;
      CHECK(metrics.find("gateway_webhooks_total{type=\"" + name + "\",result=\"accepted\"} 1") != std::string::npos);
    }
  }
}
