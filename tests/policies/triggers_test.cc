// Every event that the vendor has an example of, in our own words: the members that decide, and what must become stale.
#include "policies/triggers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "policies/catalogue.h"
#include "policies/surrogate_keys.h"

using policies::keys_of_event;
using policies::Triggers;

namespace {

using Keys = std::vector<std::string>;

struct Example {
  std::string_view name, type, body;
  Keys keys;
};

const Keys kContact{"contact:c1", "location:?:contacts", "location:L1:contacts"};
const Keys kAppointments{"contact:c1:appointments", "location:?:opportunities", "location:L1:opportunities"};
const Keys kOpportunity{"contact:c1",           "location:?:contacts",       "location:?:opportunities",
                        "location:L1:contacts", "location:L1:opportunities", "opportunity:o1"};
const Keys kTasks{"contact:c1", "contact:c1:tasks", "location:?:contacts", "location:L1:contacts"};
const Keys kNotes{"contact:c1", "contact:c1:notes", "location:?:contacts", "location:L1:contacts"};
const Keys kLocation{"location:?", "location:?:contacts", "location:L1", "location:L1:contacts"};
const Keys kEverything{"location:*", "location:*:contacts", "location:?", "location:?:contacts"};

constexpr std::string_view kOfContact = R"({"locationId":"L1","id":"c1","tags":["a"],"customFields":[{"id":"f"}]})";
constexpr std::string_view kOfPart = R"({"locationId":"L1","id":"t1","contactId":"c1","body":"text"})";
constexpr std::string_view kOfAppointment =
    R"({"locationId":"L1","appointment":{"id":"a1","contactId":"c1","calendarId":"k1","users":["u1"]}})";
constexpr std::string_view kOfOpportunity = R"({"locationId":"L1","id":"o1","contactId":"c1","pipelineStageId":"s1"})";
constexpr std::string_view kOfMessage = R"({"locationId":"L1","contactId":"c1","conversationId":"v1","body":"text"})";
constexpr std::string_view kOfOrder =
    R"({"locationId":"L1","altId":"L1","contactId":"c1","contactSnapshot":{"id":"c1","locationId":"L1"}})";

const Example kExamples[] = {
    {"AppInstall", "INSTALL", R"({"appId":"a","locationId":"L1","companyId":"k"})", kLocation},
    {"AppInstall", "INSTALL", R"({"appId":"a","companyId":"k"})", kEverything},
    {"AppUninstall", "UNINSTALL", R"({"appId":"a","locationId":"L1"})", kLocation},
    {"AppUninstall", "UNINSTALL", R"({"appId":"a","companyId":"k"})", kEverything},
    {"AppointmentCreate", "AppointmentCreate", kOfAppointment, kAppointments},
    {"AppointmentDelete", "AppointmentDelete", kOfAppointment, kAppointments},
    {"AppointmentUpdate", "AppointmentUpdate", kOfAppointment, kAppointments},
    {"CampaignStatusUpdate", "CampaignStatusUpdate", kOfPart, {}},
    {"ContactCreate", "ContactCreate", kOfContact, kContact},
    {"ContactDelete",
     "ContactDelete",
     kOfContact,
     {"contact:c1", "contact:c1:appointments", "contact:c1:notes", "contact:c1:tasks", "location:?:contacts",
      "location:L1:contacts"}},
    {"ContactDndUpdate", "ContactDndUpdate", kOfContact, kContact},
    {"ContactTagUpdate", "ContactTagUpdate", kOfContact, kContact},
    {"ContactUpdate", "ContactUpdate", kOfContact, kContact},
    {"ConversationUnreadWebhook", "ConversationUnreadUpdate", kOfMessage, {}},
    {"InboundMessage", "InboundMessage", kOfMessage, {}},
    {"LCEmailStats", "LCEmailStats", R"({"locationId":"L1","webhookPayload":{"id":"c1","timestamp":1714032441}})", {}},
    {"LocationCreate", "LocationCreate", R"({"id":"L1","companyId":"k","name":"n"})", kLocation},
    {"LocationUpdate", "LocationUpdate", R"({"id":"L1","companyId":"k","name":"n"})", kLocation},
    {"NoteCreate", "NoteCreate", kOfPart, kNotes},
    {"NoteDelete", "NoteDelete", kOfPart, kNotes},
    {"NoteUpdate", "NoteUpdate", kOfPart, kNotes},
    {"OpportunityAssignedToUpdate", "OpportunityAssignedToUpdate", kOfOpportunity, kOpportunity},
    {"OpportunityCreate", "OpportunityCreate", kOfOpportunity, kOpportunity},
    {"OpportunityDelete", "OpportunityDelete", kOfOpportunity, kOpportunity},
    {"OpportunityMonetaryValueUpdate", "OpportunityMonetaryValueUpdate", kOfOpportunity, kOpportunity},
    {"OpportunityStageUpdate", "OpportunityStageUpdate", kOfOpportunity, kOpportunity},
    {"OpportunityStatusUpdate", "OpportunityStatusUpdate", kOfOpportunity, kOpportunity},
    {"OpportunityUpdate", "OpportunityUpdate", kOfOpportunity, kOpportunity},
    {"OrderCreate", "OrderCreate", kOfOrder, {}},
    {"OrderStatusUpdate", "OrderStatusUpdate", kOfOrder, {}},
    {"OutboundMessage", "OutboundMessage", kOfMessage, {}},
    {"PlanChange", "PLAN_CHANGE", R"({"appId":"a","locationId":"L1","currentPlanId":"p"})", {}},
    {"ProviderOutboundMessage", "SMS", R"({"contactId":"c1","locationId":"L1","phone":"+1"})", {}},
    {"ProviderOutboundMessage", "Email", R"({"contactId":"c1","locationId":"L1","emailTo":["a@b"]})", {}},
    {"TaskComplete", "TaskComplete", kOfPart, kTasks},
    {"TaskCreate", "TaskCreate", kOfPart, kTasks},
    {"TaskDelete", "TaskDelete", kOfPart, kTasks},
    {"UserCreate", "UserCreate", R"({"locationId":"L1","id":"u1","email":"a@b"})", {"users"}},
};

Keys read(std::string_view path, std::string_view location) {
  return policies::keys_of_request(std::get<policies::Match>(policies::Catalogue::builtin().match("GET", path)),
                                   location, {});
}
bool meet(const Keys& a, const Keys& b) {
  return std::ranges::any_of(a, [&](const auto& key) { return std::ranges::find(b, key) != b.end(); });
}

}  // namespace

TEST_SUITE_BEGIN("triggers");

TEST_CASE("every event of the vendor's examples is known by its type and makes stale what it should and nothing else") {
  for (const auto& example : kExamples) {
    CAPTURE(example.name);
    const auto* trigger = Triggers::builtin().find(example.type);
    REQUIRE(trigger != nullptr);
    CHECK(trigger->name == example.name);
    CHECK(keys_of_event(*trigger, example.body) == example.keys);
    CHECK_FALSE(meet(keys_of_event(*trigger, example.body), {"contact:c2", "contact:c2:tasks"}));
    if (example.keys != kEverything) CHECK_FALSE(meet(example.keys, read("/contacts/c2", "L2")));
  }
}

TEST_CASE("58 events are known, each type once") {
  std::set<std::string> names, types;
  std::size_t spelt = 0;
  for (const auto& trigger : Triggers::builtin().all()) {
    names.insert(trigger.name);
    for (const auto& type : trigger.types) types.insert(type), ++spelt;
  }
  CHECK(names.size() == 58);
  CHECK(types.size() == spelt);
  CHECK(Triggers::builtin().find("string") == nullptr);
  CHECK(Triggers::builtin().find("") == nullptr);
}

TEST_CASE("a reader that does not name its location meets the event too") {
  const auto keys = keys_of_event(*Triggers::builtin().find("ContactUpdate"), kOfContact);
  for (const std::string_view location : {"L1", ""}) {
    CHECK(meet(keys, read("/contacts/c1", location)));
    CHECK(meet(keys, read("/contacts/", location)));
    CHECK_FALSE(meet(keys, read("/contacts/c1/tasks", location)));
  }
}

TEST_CASE("an event that does not say which contact makes its whole location stale, one without location all lists") {
  const auto* note = Triggers::builtin().find("NoteCreate");
  CHECK(meet(keys_of_event(*note, R"({"locationId":"L1","id":"n1"})"), read("/contacts/c1/notes", "L1")));
  CHECK_FALSE(meet(keys_of_event(*note, R"({"locationId":"L1","id":"n1"})"), read("/contacts/c1/notes", "L2")));
  CHECK(meet(keys_of_event(*note, R"({"contactId":"c1"})"), read("/contacts/", "L2")));
  CHECK(meet(keys_of_event(*note, R"({"contactId":)"), read("/contacts/c1/notes", "L1")));
}

TEST_CASE("a broken table says where") {
  const struct {
    std::string_view json, said;
  } cases[] = {
      {"[]", "events file"},
      {R"({"triggers":[{"keys":[]}]})", "event 1: needs a name"},
      {R"({"triggers":[{"name":"A","kays":[]}]})", "event 1: has an unknown member kays"},
      {R"({"triggers":[{"name":"A","keys":["contact:id"]}]})", "A: key contact:id must have one {name}"},
      {R"({"triggers":[{"name":"A"},{"name":"B","types":["A"]}]})", "B: has the type of another event"},
      {R"({"triggers":[{"name":"A","settle":"2 moons"}]})", "settle must be a duration"},
  };
  for (const auto& row : cases) {
    std::string said;
    try {
      Triggers{row.json};
    } catch (const std::invalid_argument& e) {
      said = e.what();
    }
    CAPTURE(row.said);
    CHECK_MESSAGE(said.find(row.said) != std::string::npos, said);
  }
}

TEST_SUITE_END();
