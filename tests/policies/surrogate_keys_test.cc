#include "policies/surrogate_keys.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace policies;

namespace {

using Keys = std::vector<std::string>;

Match match_of(std::string_view method, std::string_view path) {
  return std::get<Match>(Catalogue::builtin().match(method, path));
}
Keys request(std::string_view method, std::string_view path, std::string_view location, std::string_view body = {}) {
  return keys_of_request(match_of(method, path), location, body);
}
Keys answer(std::string_view method, std::string_view path, std::string_view location, std::string_view body) {
  return keys_of_answer(match_of(method, path), location, body);
}
bool meet(const Keys& a, const Keys& b) {
  return std::ranges::any_of(a, [&](const std::string& key) { return std::ranges::find(b, key) != b.end(); });
}

}  // namespace

TEST_SUITE_BEGIN("surrogate_keys");

TEST_CASE("which writes are told by their answers what they changed") {
  CHECK(policies::keys_in_answer(*match_of("PUT", "/opportunities/o1").operation));
  CHECK(policies::keys_in_answer(*match_of("POST", "/contacts/upsert").operation));
  CHECK_FALSE(policies::keys_in_answer(*match_of("DELETE", "/contacts/c1").operation));
  CHECK_FALSE(policies::keys_in_answer(*match_of("GET", "/contacts/c1").operation));
}

TEST_CASE("a read depends on its resource and a write changes it and all that embeds it") {
  CHECK(request("GET", "/contacts/c1", "L1") == Keys{"contact:c1", "location:*", "location:L1"});
  CHECK(request("GET", "/contacts/c1/tasks/t1", "L1") == Keys{"contact:c1:tasks", "location:*", "location:L1"});
  CHECK(request("GET", "/contacts/", "L1") == Keys{"location:*:contacts", "location:L1:contacts"});
  CHECK(request("PUT", "/contacts/c1", "L1") == Keys{"contact:c1", "location:?:contacts", "location:L1:contacts"});
  CHECK(request("DELETE", "/contacts/c1", "L1") == Keys{"contact:c1", "contact:c1:appointments", "contact:c1:notes",
                                                        "contact:c1:tasks", "location:?:contacts",
                                                        "location:L1:contacts"});
}

TEST_CASE("every write meets the reads it may change") {
  struct Row {
    std::string_view method, path, body, answer;
  };
  const std::string_view named = R"({"contact":{"id":"c1","locationId":"L1"}})";
  const Row contact_writes[] = {{"PUT", "/contacts/c1", "{}", named},
                                {"DELETE", "/contacts/c1", "", "{}"},
                                {"POST", "/contacts/", "{}", named},
                                {"POST", "/contacts/upsert", "{}", named},
                                {"POST", "/contacts/c1/tags", "{}", "{}"},
                                {"DELETE", "/contacts/c1/tags", "{}", "{}"},
                                {"POST", "/contacts/c1/followers", "{}", "{}"},
                                {"DELETE", "/contacts/c1/followers", "{}", "{}"},
                                {"POST", "/contacts/c1/campaigns/g", "{}", "{}"},
                                {"DELETE", "/contacts/c1/campaigns/g", "{}", "{}"},
                                {"DELETE", "/contacts/c1/campaigns/removeAll", "{}", "{}"},
                                {"POST", "/contacts/c1/workflow/w", "{}", "{}"},
                                {"DELETE", "/contacts/c1/workflow/w", "{}", "{}"},
                                {"POST", "/contacts/c1/tasks", "{}", "{}"},
                                {"PUT", "/contacts/c1/notes/n", "{}", "{}"},
                                {"POST", "/contacts/bulk/business", R"({"ids":["c0","c1"]})", "{}"},
                                {"POST", "/contacts/bulk/tags/update/add", R"({"contacts":["c1"]})", "{}"}};
  for (const auto& row : contact_writes) {
    for (const std::string_view location : {"L1", ""}) {  // named by the write, or not
      CAPTURE(row.path);
      CAPTURE(location);
      Keys changed = request(row.method, row.path, location, row.body);
      for (auto& key : answer(row.method, row.path, location, row.answer)) changed.push_back(key);
      for (const std::string_view reader : {"L1", ""}) {
        CHECK(meet(changed, request("GET", "/contacts/c1", reader)));
        CHECK(meet(changed, request("GET", "/contacts/", reader)));
        CHECK(meet(changed, request("POST", "/contacts/search", reader, "{}")));
        CHECK(meet(changed, request("GET", "/contacts/search/duplicate", reader)));
        CHECK(meet(changed, request("GET", "/contacts/business/b", reader)));
      }
      CHECK_FALSE(meet(changed, request("GET", "/contacts/c2", "L1")));
      CHECK(meet(changed, request("GET", "/contacts/", "L2")) == location.empty());
    }
  }
}

TEST_CASE("task, note and contact-ending writes meet the reads of tasks, notes and appointments") {
  const auto tasks = request("GET", "/contacts/c1/tasks", "L1");
  const auto task = request("GET", "/contacts/c1/tasks/t1", "");
  const auto notes = request("GET", "/contacts/c1/notes/n1", "L1");
  const auto appointments = request("GET", "/contacts/c1/appointments", "L1");
  for (const auto& [method, path] : {std::pair{"POST", "/contacts/c1/tasks"},
                                     {"PUT", "/contacts/c1/tasks/t9"},
                                     {"DELETE", "/contacts/c1/tasks/t9"},
                                     {"PUT", "/contacts/c1/tasks/t9/completed"}}) {
    CHECK(meet(request(method, path, "L1"), tasks));
    CHECK(meet(request(method, path, "L1"), task));
    CHECK_FALSE(meet(request(method, path, "L1"), notes));
  }
  CHECK(meet(request("DELETE", "/contacts/c1/notes/n9", "L1"), notes));
  for (const auto& read : {tasks, task, notes, appointments}) {
    CHECK(meet(request("DELETE", "/contacts/c1", ""), read));
    CHECK(meet(request("POST", "/contacts/c1/workflow/w", ""), read));
  }
}

TEST_CASE("two spellings of an id share keys, and an id cannot pass for another key") {
  CHECK(request("GET", "/contacts/a%62c", "L1") == request("GET", "/contacts/abc", "L1"));
  CHECK(request("GET", "/contacts/a%2Fb", "L1") == request("GET", "/contacts/a%2fb", "L1"));
  CHECK(request("GET", "/contacts/c1:tasks", "*").front() == "contact:c1%3Atasks");
  CHECK(request("GET", "/contacts/c1", "*").back() == "location:*");
  CHECK(request("GET", "/contacts/c1", "*")[1] == "location:%2A");
}

TEST_CASE("an upsert's contact is known from its answer, and a lost answer puts the location in doubt") {
  CHECK(request("POST", "/contacts/upsert", "L1", "{}") == Keys{"location:?:contacts", "location:L1:contacts"});
  CHECK(answer("POST", "/contacts/upsert", "L1", R"({"new":false,"contact":{"id":"c1","locationId":"L1"}})") ==
        Keys{"contact:c1"});
  for (const std::string_view lost : {"", "<html>", "{}", R"({"contact":{"id":""}})", R"({"contact":{"id":"c1")"})
    CHECK(meet(answer("POST", "/contacts/upsert", "L1", lost), request("GET", "/contacts/any", "L1")));
  CHECK_FALSE(meet(answer("POST", "/contacts/upsert", "L1", ""), request("GET", "/contacts/any", "L2")));
}

TEST_CASE("an answer names no key again that the request named, and a location that the request got wrong") {
  CHECK(answer("PUT", "/contacts/c1", "L1", R"({"contact":{"id":"c1","locationId":"L1"}})").empty());
  CHECK(answer("PUT", "/contacts/c1", "", R"({"contact":{"id":"c1","locationId":"L1"}})").empty());
  CHECK(answer("PUT", "/contacts/c1", "L2", R"({"contact":{"id":"c1","locationId":"L1"}})") ==
        Keys{"location:L1:contacts"});
  CHECK(answer("DELETE", "/contacts/c1", "L1", "{}").empty());
  CHECK(answer("GET", "/contacts/c1", "L1", R"({"contact":{"id":"c2"}})").empty());
}

TEST_CASE("a bulk write names each of 10,000 contacts; more, or an unreadable body, put the location in doubt") {
  const auto body = [](int count) {
    std::string text = R"({"locationId":"L1","contacts":[)";
    for (int i = 0; i < count; ++i) text += (i ? ",\"c" : "\"c") + std::to_string(i) + "\"";
    return text + "]}";
  };
  const auto keys = request("POST", "/contacts/bulk/tags/update/add", "L1", body(10'000));
  CHECK(keys.size() == 10'002);
  CHECK(meet(keys, request("GET", "/contacts/c9999", "L1")));
  CHECK_FALSE(meet(keys, request("GET", "/contacts/other", "L1")));
  const auto many = request("POST", "/contacts/bulk/tags/update/add", "L1", body(kMostKeys + 5));
  CHECK(many.size() <= kMostKeys + 10);
  CHECK(meet(many, request("GET", "/contacts/other", "L1")));
  for (const std::string_view broken : {"", "{", R"({"contacts":[]})", R"({"contacts":["c1")", "[[[["})
    CHECK(meet(request("POST", "/contacts/bulk/tags/update/add", "L1", broken), request("GET", "/contacts/x", "")));
  CHECK(request("POST", "/contacts/bulk/business", "L1", R"({"ids":["c1","c1"]})").size() == 3);
}

TEST_CASE("collections are the keys whose index lags") {
  CHECK(is_collection("location:L1:contacts"));
  CHECK(is_collection("location:?:contacts"));
  CHECK(is_collection("location:L1:opportunities"));
  CHECK_FALSE(is_collection("users"));
  CHECK_FALSE(is_collection("location:L1"));
  CHECK_FALSE(is_collection("contact:c1:tasks"));
}

TEST_CASE("a purge of a location reaches every entry of it") {
  for (const auto& operation : Catalogue::builtin().operations()) {
    if (operation.kind == Kind::Write) continue;
    Match match;
    match.operation = &operation;
    CAPTURE(operation.name);
    for (const std::string_view reader : {"L1", ""})
      CHECK(meet(keys_of_location("L1"), keys_of_request(match, reader, {})));
    CHECK_FALSE(meet(keys_of_location("L1"), keys_of_request(match, "L2", {})));
  }
}

TEST_CASE("a neighbour's write meets the reads that it may change, contacts' among them, and no others") {
  const std::string_view of_opportunity = R"({"opportunity":{"id":"o1","contactId":"c1","locationId":"L1"}})";
  const std::string_view of_business = R"({"buiseness":{"id":"b1","locationId":"L1"}})";
  const std::string_view of_field = R"({"field":{"id":"f1","locationId":"L1"}})";
  struct Row {
    std::string_view method, path, body, answer, reads;  // which of the reads below it changes, by letter
  };
  const Row rows[] = {
      {"POST", "/opportunities/", R"({"contactId":"c1"})", of_opportunity, "oOcl"},
      {"PUT", "/opportunities/o1", "{}", of_opportunity, "oOcl"},
      {"POST", "/opportunities/upsert", "{}", of_opportunity, "oOcl"},
      {"POST", "/opportunities/upsert", "{}", "", "oOclLbBfFtT"},  // lost: all of the location that is not a user
      {"PUT", "/opportunities/o1/status", "{}", "{}", "oOl"},
      {"DELETE", "/opportunities/o1", "", "{}", "oOl"},
      {"POST", "/opportunities/o1/followers", "{}", "{}", "oO"},
      {"DELETE", "/opportunities/o1/followers", "{}", "{}", "oO"},
      {"POST", "/businesses/", "{}", of_business, "bB"},
      {"PUT", "/businesses/b1", "{}", of_business, "oOclLbBfFtT"},
      {"DELETE", "/businesses/b1", "", "{}", "oOclLbBfFtT"},
      {"POST", "/custom-fields/", "{}", of_field, "fF"},
      {"PUT", "/custom-fields/f1", "{}", of_field, "oOclLbBfFtT"},
      {"DELETE", "/custom-fields/f1", "", "{}", "oOclLbBfFtT"},
      {"POST", "/custom-fields/folder", "{}", R"({"id":"f1","locationId":"L1"})", "fF"},
      {"PUT", "/custom-fields/folder/f1", "{}", "{}", "fF"},
      {"PUT", "/contacts/c1", "{}", "{}", "oOcl"},
      {"POST", "/contacts/c1/notes", "{}", "{}", "oOcl"},
  };
  const std::pair<char, std::string_view> reads[] = {{'o', "/opportunities/o1"},
                                                     {'O', "/opportunities/search"},
                                                     {'c', "/contacts/c1"},
                                                     {'l', "/contacts/"},
                                                     {'L', "/contacts/c2"},
                                                     {'b', "/businesses/b1"},
                                                     {'B', "/businesses/"},
                                                     {'f', "/custom-fields/f1"},
                                                     {'F', "/custom-fields/object-key/k"},
                                                     {'t', "/contacts/c1/tasks"},
                                                     {'T', "/campaigns/"}};
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.method);
    Keys changed = request(row.method, row.path, "L1", row.body);
    for (auto& key : answer(row.method, row.path, "L1", row.answer)) changed.push_back(key);
    CHECK_FALSE(meet(changed, request("GET", "/contacts/c2", "L2")));
    CHECK_FALSE(meet(changed, request("GET", "/opportunities/search", "L2")));
    for (const auto& [letter, path] : reads) {
      CAPTURE(path);
      CHECK(meet(changed, request("GET", path, "L1")) == (row.reads.find(letter) != std::string_view::npos));
    }
  }
}

TEST_CASE("users belong to no one location: one key for all of them, and the end of one reaches every contact") {
  for (const std::string_view path : {"/users/u1", "/users/", "/users/search"}) {
    for (const std::string_view method : {"PUT", "DELETE"})
      CHECK(meet(request(method, "/users/u9", "L1"), request("GET", path, "L2")));
    CHECK(meet(request("POST", "/users/", "", "{}"), request("GET", path, "L2")));
  }
  for (const std::string_view path : {"/contacts/c1", "/contacts/", "/opportunities/search"}) {
    CHECK(meet(request("DELETE", "/users/u9", "L1"), request("GET", path, "L2")));
    CHECK_FALSE(meet(request("PUT", "/users/u9", "L1"), request("GET", path, "L1")));
  }
}

TEST_CASE("an upload names its contact in the query") {
  const auto match = match_of("POST", "/forms/upload-custom-files");
  const auto keys = keys_of_request(match, "L1", "--b", "contact%49d=c%31&locationId=L1");
  CHECK(keys == Keys{"contact:c1", "location:?:contacts", "location:L1:contacts"});
  for (const std::string_view query : {"", "contactId", "contactId=", "xcontactId=c1"})
    CHECK(meet(keys_of_request(match, "L1", "--b", query), request("GET", "/contacts/c1", "L1")));
}

TEST_SUITE_END();
