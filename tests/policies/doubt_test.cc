#include "policies/doubt.h"

#include <doctest/doctest.h>

using policies::duplicate_search;
using policies::judge_duplicate;
using policies::WallMillis;

TEST_SUITE_BEGIN("idempotency");

TEST_CASE("a created contact is looked for by its e-mail, else by its phone") {
  CHECK(duplicate_search("create-contact", "L", R"({"email":"a+b@example.com","phone":"+1 555"})") ==
        "/contacts/search/duplicate?locationId=L&email=a%2Bb%40example.com");
  CHECK(duplicate_search("create-contact", "L", R"({"locationId":"M","phone":"+1 555"})") ==
        "/contacts/search/duplicate?locationId=M&number=%2B1%20555");
  for (const char* body : {"", "{", R"({"firstName":"Ada"})", R"({"email":""})", R"({"email":null})",
                           R"({"email":["a@example.com","b@example.com"]})", R"({"email":"a@example.com")"})
    CHECK_FALSE(duplicate_search("create-contact", "L", body).has_value());
  CHECK_FALSE(duplicate_search("create-task", "L", R"({"email":"a@example.com"})").has_value());
}

TEST_CASE("an upsert is harmless twice when it says of whom") {
  const auto& catalogue = policies::Catalogue::builtin();
  CHECK(policies::harmless_twice(*catalogue.find("upsert-contact"), R"({"email":"a@example.com"})"));
  CHECK(policies::harmless_twice(*catalogue.find("upsert-contact"), R"({"phone":"+1555"})"));
  CHECK_FALSE(policies::harmless_twice(*catalogue.find("upsert-contact"), R"({"firstName":"Ada"})"));
  CHECK(policies::harmless_twice(*catalogue.find("add-tags"), R"({"tags":["a"]})"));
  CHECK_FALSE(policies::harmless_twice(*catalogue.find("create-note"), R"({"body":"a"})"));
}

TEST_CASE("what is found is the one only when it was added since") {
  const WallMillis sent{1'764'000'000'000};  // 2025-11-24T16:00:00Z
  const auto found = [&](const char* answer) { return judge_duplicate(answer, sent); };
  const auto made = found(R"({"contact":{"id":"c1","dateAdded":"2025-11-24T16:00:01.000Z"}})");
  REQUIRE(std::holds_alternative<policies::CreatedContact>(made));
  CHECK(std::get<policies::CreatedContact>(made).id == "c1");
  // The upstream's clock is half a minute behind ours.
  CHECK(std::holds_alternative<policies::CreatedContact>(
      found(R"({"contact":{"id":"c1","dateAdded":"2025-11-24T15:59:30Z"}})")));
  for (const char* none : {R"({"contact":null})", "{}", R"({"contact":{}})"})
    CHECK(std::holds_alternative<policies::NotThere>(found(none)));
  for (const char* unclear : {"", "{", "<html>", R"({"contact":{"id":"c1"}})",
                              R"({"contact":{"id":"c1","dateAdded":"2025-11-24T15:50:00Z"}})",
                              R"({"contact":{"id":"c1","dateAdded":"yesterday"}})"})
    CHECK(std::holds_alternative<policies::Unclear>(found(unclear)));
}

TEST_SUITE_END();
