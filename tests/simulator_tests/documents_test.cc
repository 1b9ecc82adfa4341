// Every answer that the vendor's documents name, for each of the 32 operations: the simulator gives it, and it fits its
// schema.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/simulator_tests/world.h"

using namespace simulator;
using namespace simulator_tests;

namespace {

struct Case {
  const char* operation;
  int status;
  const char* method;
  const char* target;  // "$" stands for the first contact's path
  const char* body = "";
};

constexpr const char* kGone = "/contacts/AAAAAAAAAAAAAAAAAAAA";
constexpr const char* kMalformed = "/contacts/no%20id";
constexpr const char* kNewTask = R"({"title":"a","dueDate":"2025-01-01T00:00:00Z","completed":false})";

const Case kCases[] = {
    {"search-contacts-advanced", 200, "POST", "/contacts/search", R"({"locationId":"loc_demo","pageLimit":3})"},
    {"search-contacts-advanced", 400, "POST", "/contacts/search", R"({"pageLimit":3})"},
    {"get-duplicate-contact", 200, "GET", "/contacts/search/duplicate?locationId=loc_demo&email=ada.1%40example.com"},
    {"get-duplicate-contact", 400, "GET", "/contacts/search/duplicate?email=a%40b.co"},
    {"get-all-tasks", 200, "GET", "$/tasks"},
    {"get-all-tasks", 400, "GET", "G/tasks"},
    {"create-task", 201, "POST", "$/tasks", kNewTask},
    {"create-task", 400, "POST", "G/tasks", kNewTask},
    {"create-task", 422, "POST", "$/tasks", R"({"body":"a"})"},
    {"get-task", 200, "GET", "$/tasks/task0000000000000100"},
    {"get-task", 400, "GET", "$/tasks/AAAAAAAAAAAAAAAAAAAA"},
    {"update-task", 200, "PUT", "$/tasks/task0000000000000100", R"({"title":"b"})"},
    {"update-task", 400, "PUT", "$/tasks/AAAAAAAAAAAAAAAAAAAA", R"({"title":"b"})"},
    {"update-task", 422, "PUT", "$/tasks/task0000000000000100", R"({"title":7})"},
    {"delete-task", 200, "DELETE", "$/tasks/task0000000000000100"},
    {"delete-task", 400, "DELETE", "$/tasks/AAAAAAAAAAAAAAAAAAAA"},
    {"update-task-completed", 200, "PUT", "$/tasks/task0000000000000100/completed", R"({"completed":true})"},
    {"update-task-completed", 400, "PUT", "$/tasks/AAAAAAAAAAAAAAAAAAAA/completed", R"({"completed":true})"},
    {"update-task-completed", 422, "PUT", "$/tasks/task0000000000000100/completed", "{}"},
    {"get-appointments-for-contact", 200, "GET", "$/appointments"},
    {"get-appointments-for-contact", 400, "GET", "G/appointments"},
    {"get-appointments-for-contact", 422, "GET", "M/appointments"},
    {"add-tags", 201, "POST", "$/tags", R"({"tags":["vip"]})"},
    {"add-tags", 400, "POST", "G/tags", R"({"tags":["vip"]})"},
    {"add-tags", 422, "POST", "$/tags", R"({"tags":"vip"})"},
    {"remove-tags", 200, "DELETE", "$/tags", R"({"tags":["lead"]})"},
    {"remove-tags", 400, "DELETE", "G/tags", R"({"tags":["lead"]})"},
    {"remove-tags", 422, "DELETE", "$/tags", "{}"},
    {"get-all-notes", 200, "GET", "$/notes"},
    {"get-all-notes", 400, "GET", "G/notes"},
    {"create-note", 201, "POST", "$/notes", R"({"body":"hello","pinned":true})"},
    {"create-note", 400, "POST", "G/notes", R"({"body":"hello"})"},
    {"create-note", 422, "POST", "$/notes", R"({"title":"no body"})"},
    {"get-note", 200, "GET", "$/notes/note0000000000000100"},
    {"get-note", 400, "GET", "$/notes/AAAAAAAAAAAAAAAAAAAA"},
    {"get-note", 422, "GET", "$/notes/no%20id"},
    {"update-note", 200, "PUT", "$/notes/note0000000000000100", R"({"body":"changed"})"},
    {"update-note", 400, "PUT", "$/notes/AAAAAAAAAAAAAAAAAAAA", R"({"body":"changed"})"},
    {"update-note", 422, "PUT", "$/notes/note0000000000000100", R"({"body":false})"},
    {"delete-note", 200, "DELETE", "$/notes/note0000000000000100"},
    {"delete-note", 400, "DELETE", "$/notes/AAAAAAAAAAAAAAAAAAAA"},
    {"delete-note", 422, "DELETE", "M/notes/note0000000000000100"},
    {"create-association", 201, "POST", "/contacts/bulk/tags/update/add",
     R"({"locationId":"loc_demo","contacts":["contact0000000000001","abcdef"],"tags":["x"]})"},
    {"create-association", 400, "POST", "/contacts/bulk/tags/update/add", "{"},
    {"create-association", 422, "POST", "/contacts/bulk/tags/update/add", R"({"locationId":"loc_demo"})"},
    {"add-remove-contact-from-business", 200, "POST", "/contacts/bulk/business",
     R"({"locationId":"loc_demo","ids":["contact0000000000001"],"businessId":null})"},
    {"add-remove-contact-from-business", 422, "POST", "/contacts/bulk/business", R"({"locationId":"loc_demo"})"},
    {"get-contact", 200, "GET", "$"},
    {"get-contact", 400, "GET", "G"},
    {"get-contact", 422, "GET", "M"},
    {"update-contact", 200, "PUT", "$",
     R"({"firstName":"Zoe","dnd":true,"customFields":[{"id":"f","field_value":"v"}]})"},
    {"update-contact", 400, "PUT", "G", R"({"firstName":"Zoe"})"},
    {"update-contact", 422, "PUT", "$", R"({"email":"no email"})"},
    {"delete-contact", 200, "DELETE", "$"},
    {"delete-contact", 400, "DELETE", "G"},
    {"delete-contact", 422, "DELETE", "M"},
    {"upsert-contact", 200, "POST", "/contacts/upsert", R"({"locationId":"loc_demo","email":"ada.1@example.com"})"},
    {"upsert-contact", 400, "POST", "/contacts/upsert", "[1"},
    {"upsert-contact", 422, "POST", "/contacts/upsert", R"({"email":"a@b.co"})"},
    {"get-contacts-by-businessId", 200, "GET", "/contacts/business/b1?locationId=loc_demo"},
    {"get-contacts-by-businessId", 400, "GET", "/contacts/business/no%20id?locationId=loc_demo"},
    {"get-contacts-by-businessId", 422, "GET", "/contacts/business/b1?locationId=loc_demo&limit=x"},
    {"add-followers-contact", 201, "POST", "$/followers", R"({"followers":["u1"]})"},
    {"add-followers-contact", 400, "POST", "G/followers", R"({"followers":["u1"]})"},
    {"add-followers-contact", 422, "POST", "$/followers", R"({"followers":[1]})"},
    {"remove-followers-contact", 200, "DELETE", "$/followers", R"({"followers":["u1"]})"},
    {"remove-followers-contact", 400, "DELETE", "G/followers", R"({"followers":["u1"]})"},
    {"remove-followers-contact", 422, "DELETE", "$/followers", "{}"},
    {"add-contact-to-campaign", 201, "POST", "$/campaigns/c1", "{}"},
    {"add-contact-to-campaign", 400, "POST", "G/campaigns/c1", "{}"},
    {"add-contact-to-campaign", 422, "POST", "$/campaigns/no%20id", "{}"},
    {"remove-contact-from-campaign", 200, "DELETE", "$/campaigns/c1"},
    {"remove-contact-from-campaign", 400, "DELETE", "G/campaigns/c1"},
    {"remove-contact-from-campaign", 422, "DELETE", "$/campaigns/no%20id"},
    {"remove-contact-from-every-campaign", 200, "DELETE", "$/campaigns/ALL"},
    {"remove-contact-from-every-campaign", 400, "DELETE", "G/campaigns/ALL"},
    {"remove-contact-from-every-campaign", 422, "DELETE", "M/campaigns/ALL"},
    {"add-contact-to-workflow", 200, "POST", "$/workflow/w1", R"({"eventStartTime":"2021-06-23T03:30:00+01:00"})"},
    {"add-contact-to-workflow", 400, "POST", "G/workflow/w1", "{}"},
    {"add-contact-to-workflow", 422, "POST", "$/workflow/w1", R"({"eventStartTime":"soon"})"},
    {"delete-contact-from-workflow", 200, "DELETE", "$/workflow/w1", "{}"},
    {"delete-contact-from-workflow", 400, "DELETE", "G/workflow/w1", "{}"},
    {"delete-contact-from-workflow", 422, "DELETE", "$/workflow/no%20id", "{}"},
    {"create-contact", 201, "POST", "/contacts/", R"({"locationId":"loc_demo","name":"New One","email":"new@one.co"})"},
    {"create-contact", 400, "POST", "/contacts/", R"({"locationId":"loc_demo","email":"ada.1@example.com"})"},
    {"create-contact", 422, "POST", "/contacts/", R"({"name":"New One"})"},
    {"get-contacts", 200, "GET", "/contacts/?locationId=loc_demo&limit=5"},
    {"get-contacts", 400, "GET", "/contacts/?locationId=loc_demo&startAfter=soon"},
    {"get-contacts", 422, "GET", "/contacts/?limit=5"},
};

std::string target_of(const Case& one, bool v3) {
  std::string target = one.target;
  if (const auto all = target.find("ALL"); all != std::string::npos)
    target.replace(all, 3, v3 ? "remove-all" : "removeAll");
  if (target[0] == '$') target.replace(0, 1, kFirst);
  if (target[0] == 'G') target.replace(0, 1, kGone);
  if (target[0] == 'M') target.replace(0, 1, kMalformed);
  return target;
}

// The schema's name; empty where the document gives none.
const char* schema_of(const char* version, const std::string& operation, int status) {
  for (const Value& known : documents(version)["operations"].GetArray()) {
    if (operation != known["name"].GetString()) continue;
    const auto found = known["responses"].FindMember(std::to_string(status).c_str());
    if (found != known["responses"].MemberEnd()) return found->value.GetString();
  }
  return nullptr;
}

void check_case(const char* version, const Case& one) {
  const bool v3 = std::string(version) == "v3";
  const char* schema = schema_of(version, one.operation, one.status);
  if (schema == nullptr) return;  // v3 has no get-contacts
  Bench bench;
  bench.version = version;
  const std::string target = target_of(one, v3);
  const std::string what = std::string(version) + " " + one.method + " " + target;
  CAPTURE(what);
  const Answer answer = bench.ask(one.method, target, one.body);
  CHECK_MESSAGE(answer.status == one.status, answer.body);
  if (*schema != '\0') CHECK(misfit(version, schema, answer.body) == "");
  bench.authorization = "Bearer unknown";
  const Answer refused = bench.ask(one.method, target, one.body);
  CHECK(refused.status == 401);
  CHECK(misfit(version, "UnauthorizedDTO", refused.body) == "");
}

}  // namespace

TEST_SUITE("documents") {
  TEST_CASE("every documented answer of every operation is given and fits its schema") {
    for (const char* version : {"2021-07-28", "v3"}) {
      for (const Case& one : kCases) check_case(version, one);
    }
  }

  TEST_CASE("the table names every status that the documents name") {
    std::set<std::pair<std::string, int>> covered;
    for (const Case& one : kCases) {
      covered.insert({one.operation, one.status});
      covered.insert({one.operation, 401});
    }
    for (const char* version : {"2021-07-28", "v3"}) {
      for (const Value& known : documents(version)["operations"].GetArray()) {
        for (const auto& response : known["responses"].GetObject()) {
          const std::pair<std::string, int> wanted{known["name"].GetString(), std::stoi(response.name.GetString())};
          CHECK_MESSAGE(covered.contains(wanted), wanted.first << " " << wanted.second);
        }
      }
    }
    CHECK(operations().size() == 32);
  }

  TEST_CASE("a schema that does not fit is noticed") {
    CHECK(misfit("2021-07-28", "ContactsByIdSuccessfulResponseDto", R"({"contact":{"id":7}})") != "");
    CHECK(misfit("2021-07-28", "UnprocessableDTO", R"({"statusCode":422,"message":"text","error":"x"})") != "");
  }
}
