// Every answer that the documents of the seven neighbouring resources name, for each of their 37 operations: the
// simulator gives it, and it fits its schema.
#include "tests/simulator/neighbours.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/simulator_tests/world.h"

using namespace simulator;
using namespace simulator_tests;

namespace {

constexpr const char* kVersion = "neighbours";

struct Case {
  const char* operation;
  int status;
  const char* method;
  const char* target;
  const char* body = "";
};

constexpr const char* kOpportunity =
    R"({"pipelineId":"p","locationId":"loc_demo","name":"Deal","status":"open","contactId":"contact0000000000001"})";
constexpr const char* kUpsert =
    R"({"pipelineId":"p","locationId":"loc_demo","followers":["u"],"isRemoveAllFollowers":false,"followersActionType":"add","name":"Deal"})";
constexpr const char* kSearch =
    R"({"locationId":"loc_demo","query":"deal","limit":20,"page":1,"searchAfter":[],"additionalDetails":{"notes":true}})";
constexpr const char* kField =
    R"({"locationId":"loc_demo","name":"Age","showInForms":true,"dataType":"TEXT","fieldKey":"k.age","objectKey":"k","parentId":"f"})";
constexpr const char* kUser =
    R"({"companyId":"c","firstName":"Al","lastName":"An","email":"al@example.com","password":"secret","type":"account","role":"admin","locationIds":["loc_demo"]})";

const Case kCases[] = {
    {"get-lost-reason", 200, "GET", "/opportunities/lost-reason?locationId=loc_demo"},
    {"get-lost-reason", 400, "GET", "/opportunities/lost-reason?locationId=loc_demo", "{"},
    {"get-lost-reason", 422, "GET", "/opportunities/lost-reason"},
    {"search-opportunity", 200, "GET", "/opportunities/search?location_id=loc_demo"},
    {"search-opportunity", 400, "GET", "/opportunities/search?location_id=loc_demo", "{"},
    {"search-opportunity", 422, "GET", "/opportunities/search?location_id=loc_demo&limit=x"},
    {"search-opportunities-advanced", 200, "POST", "/opportunities/search", kSearch},
    {"search-opportunities-advanced", 400, "POST", "/opportunities/search", "{"},
    {"search-opportunities-advanced", 422, "POST", "/opportunities/search", "{}"},
    {"get-pipelines", 200, "GET", "/opportunities/pipelines?locationId=loc_demo"},
    {"get-pipelines", 400, "GET", "/opportunities/pipelines"},
    {"get-opportunity", 200, "GET", "/opportunities/opportunity000000001"},
    {"get-opportunity", 400, "GET", "/opportunities/gone"},
    {"get-opportunity", 422, "GET", "/opportunities/no%20id"},
    {"delete-opportunity", 200, "DELETE", "/opportunities/opportunity000000001"},
    {"delete-opportunity", 400, "DELETE", "/opportunities/gone"},
    {"delete-opportunity", 422, "DELETE", "/opportunities/no%20id"},
    {"update-opportunity", 200, "PUT", "/opportunities/opportunity000000001", R"({"monetaryValue":7})"},
    {"update-opportunity", 400, "PUT", "/opportunities/gone", "{}"},
    {"update-opportunity", 422, "PUT", "/opportunities/opportunity000000001", R"({"monetaryValue":"7"})"},
    {"update-opportunity-status", 200, "PUT", "/opportunities/opportunity000000001/status", R"({"status":"won"})"},
    {"update-opportunity-status", 400, "PUT", "/opportunities/gone/status", R"({"status":"won"})"},
    {"update-opportunity-status", 422, "PUT", "/opportunities/opportunity000000001/status", "{}"},
    {"upsert-opportunity", 200, "POST", "/opportunities/upsert", kUpsert},
    {"upsert-opportunity", 400, "POST", "/opportunities/upsert", "{"},
    {"upsert-opportunity", 422, "POST", "/opportunities/upsert", "{}"},
    {"add-followers-opportunity", 201, "POST", "/opportunities/opportunity000000001/followers",
     R"({"followers":["u"]})"},
    {"add-followers-opportunity", 400, "POST", "/opportunities/gone/followers", R"({"followers":["u"]})"},
    {"add-followers-opportunity", 422, "POST", "/opportunities/opportunity000000001/followers", "{}"},
    {"remove-followers-opportunity", 200, "DELETE", "/opportunities/opportunity000000001/followers",
     R"({"followers":["u"]})"},
    {"remove-followers-opportunity", 400, "DELETE", "/opportunities/gone/followers", R"({"followers":["u"]})"},
    {"remove-followers-opportunity", 422, "DELETE", "/opportunities/opportunity000000001/followers", "{}"},
    {"create-opportunity", 201, "POST", "/opportunities/", kOpportunity},
    {"create-opportunity", 400, "POST", "/opportunities/", "{"},
    {"create-opportunity", 422, "POST", "/opportunities/", "{}"},
    {"update-business", 200, "PUT", "/businesses/business000000000001", R"({"name":"New"})"},
    {"update-business", 400, "PUT", "/businesses/gone", "{}"},
    {"update-business", 422, "PUT", "/businesses/business000000000001", R"({"email":"none"})"},
    {"delete-business", 200, "DELETE", "/businesses/business000000000001"},
    {"delete-business", 400, "DELETE", "/businesses/gone"},
    {"delete-business", 422, "DELETE", "/businesses/no%20id"},
    {"get-business", 200, "GET", "/businesses/business000000000001"},
    {"get-business", 400, "GET", "/businesses/gone"},
    {"get-business", 422, "GET", "/businesses/no%20id"},
    {"get-businesses-by-location", 200, "GET", "/businesses/?locationId=loc_demo"},
    {"get-businesses-by-location", 400, "GET", "/businesses/"},
    {"create-business", 201, "POST", "/businesses/", R"({"name":"New","locationId":"loc_demo"})"},
    {"create-business", 400, "POST", "/businesses/", "{"},
    {"create-business", 422, "POST", "/businesses/", R"({"name":"New"})"},
    {"get-custom-field-by-id", 200, "GET", "/custom-fields/field000000000000001"},
    {"get-custom-field-by-id", 400, "GET", "/custom-fields/gone"},
    {"update-custom-field", 200, "PUT", "/custom-fields/field000000000000001",
     R"({"locationId":"loc_demo","showInForms":false})"},
    {"update-custom-field", 400, "PUT", "/custom-fields/field000000000000001", "{}"},
    {"delete-custom-field", 200, "DELETE", "/custom-fields/field000000000000001"},
    {"delete-custom-field", 400, "DELETE", "/custom-fields/gone"},
    {"get-custom-fields-by-object-key", 200, "GET", "/custom-fields/object-key/custom_object.pet?locationId=loc_demo"},
    {"get-custom-fields-by-object-key", 400, "GET", "/custom-fields/object-key/custom_object.pet"},
    {"create-custom-field-folder", 201, "POST", "/custom-fields/folder",
     R"({"objectKey":"k","name":"New","locationId":"loc_demo"})"},
    {"create-custom-field-folder", 400, "POST", "/custom-fields/folder", "{}"},
    {"update-custom-field-folder", 200, "PUT", "/custom-fields/folder/folder00000000000001",
     R"({"name":"New","locationId":"loc_demo"})"},
    {"update-custom-field-folder", 400, "PUT", "/custom-fields/folder/gone", R"({"name":"a","locationId":"loc_demo"})"},
    {"delete-custom-field-folder", 200, "DELETE", "/custom-fields/folder/folder00000000000001?locationId=loc_demo"},
    {"delete-custom-field-folder", 400, "DELETE", "/custom-fields/folder/folder00000000000001"},
    {"create-custom-field", 201, "POST", "/custom-fields/", kField},
    {"create-custom-field", 400, "POST", "/custom-fields/", "{}"},
    {"get-campaigns", 200, "GET", "/campaigns/?locationId=loc_demo"},
    {"get-campaigns", 400, "GET", "/campaigns/?locationId=loc_demo", "{"},
    {"get-campaigns", 422, "GET", "/campaigns/"},
    {"get-workflow", 200, "GET", "/workflows/?locationId=loc_demo"},
    {"get-workflow", 400, "GET", "/workflows/?locationId=loc_demo", "{"},
    {"get-workflow", 422, "GET", "/workflows/"},
    {"search-users", 200, "GET", "/users/search?companyId=c"},
    {"search-users", 400, "GET", "/users/search?companyId=c", "{"},
    {"search-users", 422, "GET", "/users/search"},
    {"filter-users-by-email", 200, "POST", "/users/search/filter-by-email", R"({"companyId":"c","emails":"a@b.co"})"},
    {"filter-users-by-email", 400, "POST", "/users/search/filter-by-email", "{"},
    {"filter-users-by-email", 422, "POST", "/users/search/filter-by-email", "{}"},
    {"get-user", 200, "GET", "/users/user0000000000000001"},
    {"get-user", 400, "GET", "/users/gone"},
    {"get-user", 422, "GET", "/users/no%20id"},
    {"update-user", 200, "PUT", "/users/user0000000000000001", R"({"firstName":"Al","locationIds":["loc_demo"]})"},
    {"update-user", 400, "PUT", "/users/gone", "{}"},
    {"update-user", 422, "PUT", "/users/user0000000000000001", R"({"email":"none"})"},
    {"delete-user", 200, "DELETE", "/users/user0000000000000001"},
    {"delete-user", 400, "DELETE", "/users/gone"},
    {"delete-user", 422, "DELETE", "/users/no%20id"},
    {"get-user-by-location", 200, "GET", "/users/?locationId=loc_demo"},
    {"get-user-by-location", 400, "GET", "/users/"},
    {"create-user", 201, "POST", "/users/", kUser},
    {"create-user", 400, "POST", "/users/", "{"},
    {"create-user", 422, "POST", "/users/", "{}"},
    {"get-forms-submissions", 200, "GET", "/forms/submissions?locationId=loc_demo"},
    {"get-forms-submissions", 400, "GET", "/forms/submissions?locationId=loc_demo", "{"},
    {"get-forms-submissions", 422, "GET", "/forms/submissions"},
    {"upload-to-custom-fields", 200, "POST",
     "/forms/upload-custom-files?contactId=contact0000000000001&locationId=loc_demo", "--b\r\n\r\nfile\r\n--b--\r\n"},
    {"upload-to-custom-fields", 400, "POST", "/forms/upload-custom-files?locationId=loc_demo", "--b--\r\n"},
    {"get-forms", 200, "GET", "/forms/?locationId=loc_demo"},
    {"get-forms", 400, "GET", "/forms/"},
};

const Value& documented(const std::string& operation) {
  static const Value none(rapidjson::kObjectType);
  for (const Value& known : documents(kVersion)["operations"].GetArray()) {
    if (operation == known["name"].GetString()) return known["responses"];
  }
  return none;
}

}  // namespace

TEST_SUITE("neighbours") {
  TEST_CASE("every documented answer of every operation is given and fits its schema") {
    for (const Case& one : kCases) {
      Bench bench;
      const std::string what = std::string(one.method) + " " + one.target;
      CAPTURE(what);
      const Answer answer = bench.ask(one.method, one.target, one.body);
      CHECK_MESSAGE(answer.status == one.status, answer.body);
      const auto schema = documented(one.operation).FindMember(std::to_string(one.status).c_str());
      REQUIRE(schema != documented(one.operation).MemberEnd());
      if (schema->value.GetStringLength() > 0) CHECK(misfit(kVersion, schema->value.GetString(), answer.body) == "");
      bench.authorization = "Bearer unknown";
      const Answer refused = bench.ask(one.method, one.target, one.body);
      CHECK(refused.status == 401);
      CHECK(misfit(kVersion, "UnauthorizedDTO", refused.body) == "");
    }
  }

  TEST_CASE("the table names every status that the documents name") {
    std::set<std::pair<std::string, int>> covered;
    for (const Case& one : kCases) {
      covered.insert({one.operation, one.status});
      covered.insert({one.operation, 401});
    }
    std::size_t known = 0;
    for (const Value& operation : documents(kVersion)["operations"].GetArray()) {
      ++known;
      for (const auto& response : operation["responses"].GetObject()) {
        const std::pair<std::string, int> wanted{operation["name"].GetString(), std::stoi(response.name.GetString())};
        CHECK_MESSAGE(covered.contains(wanted), wanted.first << " " << wanted.second);
      }
    }
    CHECK(known == 37);
    CHECK(neighbours().size() == 37);
  }

  TEST_CASE("what is created is found, changed and gone again, and contacts lose a business that goes") {
    Bench bench;
    const auto made = bench.json("POST", "/businesses/", R"({"name":"Mill","locationId":"loc_demo"})");
    const std::string id = made["buiseness"]["id"].GetString();
    CHECK(bench.json("GET", "/businesses/?locationId=loc_demo")["businesses"].Size() == 3);
    bench.ask("PUT", "/businesses/" + id, R"({"name":"Old Mill"})");
    CHECK(bench.json("GET", "/businesses/" + id)["business"]["name"] == "Old Mill");
    bench.ask("POST", "/contacts/bulk/business",
              R"({"locationId":"loc_demo","ids":["contact0000000000001"],"businessId":")" + id + "\"}");
    CHECK(bench.json("GET", kFirst)["contact"]["businessId"].GetString() == id);
    CHECK(bench.ask("DELETE", "/businesses/" + id).status == 200);
    CHECK_FALSE(bench.json("GET", kFirst)["contact"].HasMember("businessId"));
    CHECK(bench.ask("GET", "/businesses/" + id).status == 400);
  }

  TEST_CASE("an opportunity shows its contact as it is now") {
    Bench bench;
    bench.ask("PUT", kFirst, R"({"email":"new@example.com"})");
    const auto found = bench.json("GET", "/opportunities/opportunity000000001");
    CHECK(found["opportunity"]["contact"]["email"] == "new@example.com");
  }
}
