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
  CHECK_FALSE(is_collection("location:L1"));
  CHECK_FALSE(is_collection("contact:c1:tasks"));
}

TEST_CASE("a change from elsewhere reaches the contact's entries, and a purge all of a location's") {
  for (const std::string_view path :
       {"/contacts/c1", "/contacts/c1/tasks", "/contacts/c1/notes/n", "/contacts/c1/appointments", "/contacts/"}) {
    CHECK(meet(keys_of_contact("c1", "L1"), request("GET", path, "L1")));
    CHECK(meet(keys_of_location("L1"), request("GET", path, "L1")));
    CHECK(meet(keys_of_location("L1"), request("GET", path, "")));
    CHECK_FALSE(meet(keys_of_location("L1"), request("GET", path, "L2")));
  }
}

TEST_SUITE_END();
