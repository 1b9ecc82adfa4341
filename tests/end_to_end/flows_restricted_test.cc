// Leads of a client that may use one location only, where the token is good for others too.
#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

namespace {

// The hash is what `contacts-gateway hash-key` printed for the key.
const std::string kKeyOfA = "cgk_of-a-0123456789abcdef0123456789abcdef";
constexpr const char* kClient = R"({"clients":[{"name":"of-a","locations":["loc_a"],"key_hash":
  "sha256:fdd39a21ebf66a5a31550b1c22acfd5a:9c5027e8269f0cac56f1e10a26203e301bffe42a57796e6ff78dabd031352b82"}]})";

struct Restricted : World {
  explicit Restricted(std::map<std::string, std::string> flows)
      : World(std::move(flows), {.simulator = {"--location", "loc_a", "--location", "loc_b"}, .config = kClient}) {}

  std::string contact_in(const std::string& location, const std::string& name = "bob") {
    const auto made = upstream().send(
        {.method = "POST",
         .target = "/contacts/",
         .fields = {{"Authorization", "Bearer simulator-token"}, {"Version", "2021-07-28"}, kJson[0]},
         .body = R"({"firstName":"Bob","email":")" + name + R"(@example.com","locationId":")" + location + "\"}"});
    REQUIRE_MESSAGE(made.status == 201, made.body);
    return Json(made.body).text("contact.id");
  }
  int lead_of_a(const std::string& body) {
    return HttpClient(address())
        .send({.method = "POST",
               .target = "/gateway/leads/web",
               .fields = {{"Authorization", "Bearer " + kKeyOfA}, kJson[0]},
               .body = body})
        .status;
  }
  bool died(int letters) {
    return eventually(kLong, [&] { return idle() && flows().integer("dead") == letters; });
  }
};

// A step that is not safe to make twice.
constexpr const char* kEnrol = R"({"name":"enrol","on":{"lead":"*"},"do":[
  {"step":"enrol","operation":"add-contact-to-workflow",
   "path":{"contactId":{"$from":"event.contactId"},"workflowId":"w1"},"body":{}}]})";

}  // namespace

TEST_SUITE("flows restricted") {
  TEST_CASE("a lead of a client with one location reaches no contact of another one by its id") {
    Restricted world(lead_flows());
    const auto of_a = world.contact_in("loc_a"), of_b = world.contact_in("loc_b");
    const auto change = [&](const std::string& contact) {
      return world.lead_of_a(R"({"type":"updated","contactId":")" + contact + R"(","phone":"+14155552671"})");
    };
    CHECK(change(of_b) == 202);
    CHECK(change(of_a) == 202);
    REQUIRE(world.died(1));
    CHECK(world.flows().text("letters.0.reason").find("forbidden") != std::string::npos);
    CHECK(world.book("loc_a").phones["bob@example.com"] == "+14155552671");
    CHECK(world.book("loc_b").phones["bob@example.com"].empty());
  }

  TEST_CASE("a flow takes a lead of a client with one location to no other one, whatever the lead says") {
    constexpr const char* kTo = R"({"$from":"event.account"})";
    const auto flow = [](const std::string& name, const std::string& more, const std::string& step) {
      return R"({"name":")" + name + R"(","on":{"lead":"*"},"when":{"field":"event.by","is":")" + name + "\"}," + more +
             R"("do":[{"step":"write",)" + step + "}]}";
    };
    const std::string change = R"("operation":"update-contact","path":{"contactId":{"$from":"event.contactId"}},
      "body":{"phone":{"$from":"event.phone"}})";
    const std::string at = std::string("\"location\":") + kTo;
    Restricted world({{"flow.json", flow("flow", at + ",", change)},
                      {"step.json", flow("step", "", at + "," + change)},
                      {"body.json", flow("body", "",
                                         R"("operation":"upsert-contact","body":{"locationId":)" + std::string(kTo) +
                                             R"(,"email":"bob@example.com","phone":{"$from":"event.phone"}})")}});
    std::map<std::string, std::string> contacts;
    for (const std::string location : {"loc_a", "loc_b"}) contacts[location] = world.contact_in(location);
    int letters = 0;
    for (const std::string by : {"flow", "step", "body"}) {
      CAPTURE(by);
      const auto phone = "+1415555267" + std::to_string(letters);
      for (const std::string location : {"loc_b", "loc_a"})
        CHECK(world.lead_of_a(R"({"by":")" + by + R"(","account":")" + location + R"(","contactId":")" +
                              contacts[location] + R"(","phone":")" + phone + "\"}") == 202);
      REQUIRE(world.died(++letters));
      CHECK(world.book("loc_b").phones["bob@example.com"].empty());
      CHECK(world.book("loc_a").phones["bob@example.com"] == phone);
    }
    const auto dead = world.flows();
    for (int i = 0; i < letters; ++i) {
      const auto letter = "letters." + std::to_string(i);
      CAPTURE(dead.text(letter + ".flow"));
      const bool by_body = dead.text(letter + ".flow") == "body";
      CHECK(dead.text(letter + ".reason").find(by_body ? "forbidden" : "is not the location that the lead was taken") !=
            std::string::npos);
      if (!by_body) CHECK(dead.text(letter + ".field") == "location");
    }
  }

  // Before it is sent, it is looked up whose contact it is; a step that may not be made twice is none the worse for it.
  TEST_CASE("a look-up that fails for now holds a step back, whatever the step is") {
    Restricted world({{"enrol.json", kEnrol}});
    int failed = 0;
    for (const std::string fault :
         {"status=401", "status=408", "status=429;retry-after=1", "reset-before", "status=500"}) {
      CAPTURE(fault);
      const auto contact = world.contact_in("loc_a", "bob" + std::to_string(++failed));
      world.control("faults", R"({"match":{"method":"GET","path_prefix":"/contacts/"},"fault":")" + fault + R"("})");
      REQUIRE(world.lead_of_a(R"({"contactId":")" + contact + R"("})") == 202);
      const auto held_back = [&] {
        return world.metric("gateway_flow_runs_total{flow=\"enrol\",result=\"retried\"}") +
               world.metric("gateway_flow_runs_total{flow=\"enrol\",result=\"waiting\"}");
      };
      const double before = held_back();
      CHECK(eventually(kLong, [&] { return held_back() > before || world.flows().integer("dead") > 0; }));
      world.control("faults", "", "DELETE");
      REQUIRE(eventually(kLong, [&] { return world.idle(); }));
      CHECK(world.flows().integer("dead") == 0);
      CHECK(world.metric("gateway_flow_runs_total{flow=\"enrol\",result=\"done\"}") == failed);
    }
  }
}
