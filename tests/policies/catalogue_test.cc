#include "policies/catalogue.h"

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>

using namespace policies;
using namespace std::chrono_literals;

namespace {

std::string matched(std::string_view method, std::string_view path) {
  const auto result = Catalogue::builtin().match(method, path);
  if (const auto* wrong = std::get_if<WrongMethod>(&result)) return "405 " + wrong->allow;
  if (std::holds_alternative<UnknownPath>(result)) return "404";
  const auto& match = std::get<Match>(result);
  std::string text = match.operation->name;
  for (std::size_t i = 0; i < match.parameter_count; ++i)
    text.append(" ").append(match.parameters[i].first).append("=").append(match.parameters[i].second);
  return text;
}

std::string refusal(std::string_view operations) {
  const std::string json = R"({"resource":"things","operations":[)" + std::string(operations) + "]}";
  try {
    const Catalogue catalogue({json});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_SUITE_BEGIN("catalogue");

TEST_CASE("all 32 operations of the contacts documents are matched by method and path") {
  struct Row {
    std::string_view method, path, expected;
  };
  const Row rows[] = {
      {"POST", "/contacts/search", "search-contacts-advanced"},
      {"GET", "/contacts/search/duplicate", "get-duplicate-contact"},
      {"GET", "/contacts/c1/tasks", "get-all-tasks contactId=c1"},
      {"POST", "/contacts/c1/tasks", "create-task contactId=c1"},
      {"GET", "/contacts/c1/tasks/t1", "get-task contactId=c1 taskId=t1"},
      {"PUT", "/contacts/c1/tasks/t1", "update-task contactId=c1 taskId=t1"},
      {"DELETE", "/contacts/c1/tasks/t1", "delete-task contactId=c1 taskId=t1"},
      {"PUT", "/contacts/c1/tasks/t1/completed", "update-task-completed contactId=c1 taskId=t1"},
      {"GET", "/contacts/c1/appointments", "get-appointments-for-contact contactId=c1"},
      {"POST", "/contacts/c1/tags", "add-tags contactId=c1"},
      {"DELETE", "/contacts/c1/tags", "remove-tags contactId=c1"},
      {"GET", "/contacts/c1/notes", "get-all-notes contactId=c1"},
      {"POST", "/contacts/c1/notes", "create-note contactId=c1"},
      {"GET", "/contacts/c1/notes/n1", "get-note contactId=c1 id=n1"},
      {"PUT", "/contacts/c1/notes/n1", "update-note contactId=c1 id=n1"},
      {"DELETE", "/contacts/c1/notes/n1", "delete-note contactId=c1 id=n1"},
      {"POST", "/contacts/bulk/tags/update/add", "bulk-update-tags type=add"},
      {"POST", "/contacts/bulk/business", "bulk-update-business"},
      {"GET", "/contacts/c1", "get-contact contactId=c1"},
      {"PUT", "/contacts/c1", "update-contact contactId=c1"},
      {"DELETE", "/contacts/c1", "delete-contact contactId=c1"},
      {"POST", "/contacts/upsert", "upsert-contact"},
      {"GET", "/contacts/business/b1", "get-contacts-by-businessId businessId=b1"},
      {"POST", "/contacts/c1/followers", "add-followers-contact contactId=c1"},
      {"DELETE", "/contacts/c1/followers", "remove-followers-contact contactId=c1"},
      {"POST", "/contacts/c1/campaigns/g1", "add-contact-to-campaign contactId=c1 campaignId=g1"},
      {"DELETE", "/contacts/c1/campaigns/g1", "remove-contact-from-campaign contactId=c1 campaignId=g1"},
      {"DELETE", "/contacts/c1/campaigns/removeAll", "remove-contact-from-every-campaign contactId=c1"},
      {"POST", "/contacts/c1/workflow/w1", "add-contact-to-workflow contactId=c1 workflowId=w1"},
      {"DELETE", "/contacts/c1/workflow/w1", "delete-contact-from-workflow contactId=c1 workflowId=w1"},
      {"POST", "/contacts/", "create-contact"},
      {"GET", "/contacts/", "get-contacts"},
  };
  std::set<const Operation*> seen;
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(matched(row.method, row.path) == row.expected);
    const std::string slash =
        row.path.back() == '/' ? std::string(row.path.substr(0, row.path.size() - 1)) : std::string(row.path) + "/";
    CHECK(matched(row.method, slash) == row.expected);
    seen.insert(std::get<Match>(Catalogue::builtin().match(row.method, row.path)).operation);
  }
  CHECK(seen.size() == 32);
}

TEST_CASE("all 37 operations of the neighbouring documents are matched by method and path") {
  struct Row {
    std::string_view method, path, expected;
  };
  const Row rows[] = {
      {"GET", "/opportunities/lost-reason", "get-lost-reason"},
      {"GET", "/opportunities/search", "search-opportunity"},
      {"POST", "/opportunities/search", "search-opportunities-advanced"},
      {"GET", "/opportunities/pipelines", "get-pipelines"},
      {"GET", "/opportunities/o1", "get-opportunity id=o1"},
      {"DELETE", "/opportunities/o1", "delete-opportunity id=o1"},
      {"PUT", "/opportunities/o1", "update-opportunity id=o1"},
      {"PUT", "/opportunities/o1/status", "update-opportunity-status id=o1"},
      {"POST", "/opportunities/upsert", "upsert-opportunity"},
      {"POST", "/opportunities/o1/followers", "add-followers-opportunity id=o1"},
      {"DELETE", "/opportunities/o1/followers", "remove-followers-opportunity id=o1"},
      {"POST", "/opportunities/", "create-opportunity"},
      {"PUT", "/businesses/b1", "update-business businessId=b1"},
      {"DELETE", "/businesses/b1", "delete-business businessId=b1"},
      {"GET", "/businesses/b1", "get-business businessId=b1"},
      {"GET", "/businesses/", "get-businesses-by-location"},
      {"POST", "/businesses/", "create-business"},
      {"GET", "/custom-fields/f1", "get-custom-field-by-id id=f1"},
      {"PUT", "/custom-fields/f1", "update-custom-field id=f1"},
      {"DELETE", "/custom-fields/f1", "delete-custom-field id=f1"},
      {"GET", "/custom-fields/object-key/k", "get-custom-fields-by-object-key objectKey=k"},
      {"POST", "/custom-fields/folder", "create-custom-field-folder"},
      {"PUT", "/custom-fields/folder/f1", "update-custom-field-folder id=f1"},
      {"DELETE", "/custom-fields/folder/f1", "delete-custom-field-folder id=f1"},
      {"POST", "/custom-fields/", "create-custom-field"},
      {"GET", "/campaigns/", "get-campaigns"},
      {"GET", "/workflows/", "get-workflow"},
      {"GET", "/users/search", "search-users"},
      {"POST", "/users/search/filter-by-email", "filter-users-by-email"},
      {"GET", "/users/u1", "get-user userId=u1"},
      {"PUT", "/users/u1", "update-user userId=u1"},
      {"DELETE", "/users/u1", "delete-user userId=u1"},
      {"GET", "/users/", "get-user-by-location"},
      {"POST", "/users/", "create-user"},
      {"GET", "/forms/submissions", "get-forms-submissions"},
      {"POST", "/forms/upload-custom-files", "upload-to-custom-fields"},
      {"GET", "/forms/", "get-forms"},
  };
  std::set<std::string> seen;
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(matched(row.method, row.path) == row.expected);
    seen.insert(std::get<Match>(Catalogue::builtin().match(row.method, row.path)).operation->name);
  }
  CHECK(seen.size() == 37);
  CHECK(Catalogue::builtin().operations().size() == 69);
}

TEST_CASE("the spelling of v3 is the same operation") {
  CHECK(matched("DELETE", "/contacts/c1/campaigns/remove-all") == "remove-contact-from-every-campaign contactId=c1");
}

TEST_CASE("HEAD is allowed wherever GET is, and a wrong method names the right ones") {
  CHECK(matched("HEAD", "/contacts/c1") == "get-contact contactId=c1");
  CHECK(matched("HEAD", "/contacts/upsert") == "405 POST");
  CHECK(matched("PATCH", "/contacts/c1") == "405 GET, HEAD, PUT, DELETE");
  CHECK(matched("get", "/contacts/c1") == "405 GET, HEAD, PUT, DELETE");
  CHECK(matched("POST", "/contacts/c1/appointments/") == "405 GET, HEAD");
}

TEST_CASE("a literal segment wins over a parameter, and gives way where it leads nowhere") {
  CHECK(matched("GET", "/contacts/upsert") == "405 POST");
  CHECK(matched("GET", "/contacts/search") == "405 POST");
  CHECK(matched("GET", "/contacts/search/tasks") == "get-all-tasks contactId=search");
  CHECK(matched("POST", "/contacts/c1/campaigns/removeAll") == "405 DELETE");
  CHECK(matched("GET", "/contacts/bulk/tags/update/add") == "405 POST");
}

TEST_CASE("segments compare decoded while parameters stay raw") {
  CHECK(matched("POST", "/contacts/%75psert") == "upsert-contact");
  CHECK(matched("GET", "/%63ontacts/a%2Fb") == "get-contact contactId=a%2Fb");
  CHECK(matched("GET", "/contacts/a%2fb/tasks") == "get-all-tasks contactId=a%2fb");
}

TEST_CASE("what is no path of the catalogue matches nothing") {
  for (const std::string_view path : {"",
                                      "*",
                                      "/",
                                      "//",
                                      "contacts",
                                      "/contacts//",
                                      "//contacts",
                                      "/contacts//c1",
                                      "/contacts/c1//",
                                      "/contact",
                                      "/contacts/./c1",
                                      "/contacts/..",
                                      "/contacts/%2e%2E/c1",
                                      "/contacts/%2e",
                                      "/contacts/.%2e/tasks",
                                      "/contacts/..%2foauth%2Finstalled",
                                      "/contacts/c1%2F%2e%2e%2Fx",
                                      "/contacts/c1%5c..%5Cx",
                                      "/contacts/c1/tasks/t1/other",
                                      "/contacts/c1/unknown",
                                      "/contacts/c%zz",
                                      "/contacts/c%4",
                                      "/contacts/c%",
                                      "/Contacts/c1",
                                      "/orders/1"}) {
    CAPTURE(path);
    CHECK(matched("GET", path) == "404");
  }
  CHECK(matched("GET", "/contacts" + std::string(5000, '/')) == "404");
  std::string deep = "/contacts";
  for (int i = 0; i < 2000; ++i) deep += "/a";
  CHECK(matched("GET", deep) == "404");
}

TEST_CASE("an operation has what the gateway needs to know") {
  const auto& catalogue = Catalogue::builtin();
  for (const auto& operation : catalogue.operations()) {
    CAPTURE(operation.name);
    CHECK(catalogue.find(operation.name) == &operation);
    CHECK(&catalogue.operations()[operation.index] == &operation);
    CHECK(operation.scope.ends_with(operation.kind == Kind::Write ? ".write" : ".readonly"));
    CHECK(operation.idempotent == (operation.method != "POST" || operation.kind == Kind::Search));
    CHECK((operation.times.fresh > 0s) == (operation.kind != Kind::Write));
    CHECK((operation.times.settle > 0s) == (operation.kind == Kind::Write));
  }
  CHECK(catalogue.find("get-contact")->times.fresh == 30s);
  CHECK(catalogue.find("search-contacts-advanced")->kind == Kind::Search);
  CHECK(catalogue.find("nothing") == nullptr);
}

TEST_CASE("a malformed catalogue says which entry is wrong") {
  const std::string good = R"("name":"a","method":"GET","path":"/a/{x}","scope":"s","kind":"read","keys":["a:{x}"])";
  CHECK(refusal("{" + good + "}") == "accepted");
  CHECK(refusal("{" + good + R"(,"fresh":"soon"})") ==
        "catalogue: things entry 1: fresh must be a duration such as 250ms, 30s, 5m or 24h");
  CHECK(refusal("{" + good + R"(,"frsh":"1s"})") == "catalogue: things entry 1: has an unknown member frsh");
  CHECK(refusal("{" + good + "},{" + good + "}") == "catalogue: a is there twice");
  CHECK(refusal(R"({"name":"a","method":"GET","path":"/a","scope":"s","kind":"read","keys":["a:{y}"]})") ==
        "catalogue: a: key a:{y} names no path or query parameter, body or answer member");
  CHECK(refusal("{" + good + R"(,"aliases":["/b"]})") == "catalogue: a: has an alias with other parameters");
  CHECK(refusal("{" + good +
                R"(},{"name":"b","method":"GET","path":"/a/{z}","scope":"s","kind":"read","keys":["a:{z}"]})") ==
        "catalogue: b has the path of a");
  CHECK_THROWS_AS(Catalogue({"[]"}), std::invalid_argument);
}

TEST_SUITE_END();
