#include "gateway/records/contact_pages.h"

#include <doctest/doctest.h>

using namespace gateway;
using records::NextPage, records::Onward, records::Page;

namespace {

std::variant<Page, server::Response> read(std::string body, const policies::PageMark& asked = {}) {
  server::Response response;
  response.body = std::make_shared<const std::string>(std::move(body));
  return records::read_page(response, asked);
}

std::string contact(const std::string& id, const std::string& added) {
  return R"({"id":")" + id + R"(","customFields":[{"id":"other"}],"dateAdded":")" + added + "\"}";
}

constexpr const char* kMeta = R"("meta":{"total":7,"startAfterId":"c","startAfter":1704067200000})";

}  // namespace

TEST_SUITE("contact pages") {
  TEST_CASE("a page has its contacts as they came, and where the next one begins") {
    const std::string one = contact("a", "2024-01-01T00:00:01.000Z");
    const auto result = read("{\"contacts\":[ " + one + " ]," + kMeta + "}");
    const auto& page = std::get<Page>(result);
    REQUIRE(page.contacts.size() == 1);
    CHECK(page.contacts[0].json == one);
    CHECK(page.contacts[0].id == "a");
    CHECK(page.contacts[0].added_ms == 1'704'067'201'000);
    CHECK(page.next == policies::PageMark{1'704'067'200'000, "c"});
    CHECK(page.total == 7);
    CHECK(page.tells == NextPage::Told);
    CHECK(records::onward(page, {.done = 1}) == Onward::Next);
    const auto empty = read("{\"contacts\":[]," + std::string(kMeta) + "}");
    CHECK(records::onward(std::get<Page>(empty), {.done = 1}) == Onward::End);
  }

  TEST_CASE("behind a page that does not say where the next one begins, its last contact is") {
    const std::string two = contact("a", "2024-01-01T00:00:01.000Z") + "," + contact("b", "2024-01-01T00:00:00.000Z");
    for (const std::string& rest : {std::string(R"("count":2)"), std::string(R"("meta":{})")}) {
      const auto result = read("{\"contacts\":[" + two + "]," + rest + "}");
      const auto& page = std::get<Page>(result);
      CHECK(page.tells == NextPage::Untold);
      CHECK(page.next == policies::PageMark{1'704'067'200'000, "b"});
      CHECK(records::onward(page, {.done = 2}) == Onward::Next);  // `count` may be this page's
    }
    const auto named = read(R"({"contacts":[{"id":"a","dateAdded":"2024-01-01T00:00:00Z","startAfter":[17,"a"]}]})");
    CHECK(std::get<Page>(named).next == policies::PageMark{17, "a"});
    CHECK(records::page_target("l", {0, "a"}) == "/contacts/?locationId=l&limit=100&startAfterId=a");
  }

  TEST_CASE("a page that says it is the last one is, where it does not tell of more at the same time") {
    for (const char* meta :
         {R"({"nextPage":null})", R"({"total":1,"nextPageUrl":null})", R"({"nextPage":false,"nextPageUrl":""})"}) {
      const auto result = read(R"({"contacts":[{"id":"a"}],"meta":)" + std::string(meta) + "}");
      CHECK(records::onward(std::get<Page>(result), {.done = 1}) == Onward::End);
    }
    const auto more = read(R"({"contacts":[{"id":"a"}],"meta":{"total":2,"nextPage":null}})");
    CHECK(records::onward(std::get<Page>(more), {.done = 1}) == Onward::Next);
  }

  TEST_CASE("a page that says there is a next one, and not where it begins, is asked behind") {
    for (const char* meta : {R"({"nextPage":2})", R"({"nextPage":null,"nextPageUrl":"https://x/?page=2"})",
                             R"({"nextPage":true,"nextPageUrl":""})", R"({"total":1,"nextPage":2})"}) {
      CAPTURE(meta);
      const auto result = read(R"({"contacts":[{"id":"a"}],"count":1,"meta":)" + std::string(meta) + "}");
      const auto& page = std::get<Page>(result);
      CHECK(page.tells == NextPage::More);
      CHECK(page.next == policies::PageMark{0, "a"});
      CHECK(records::onward(page, {.done = 1, .told = true, .all_listed = true}) == Onward::Next);
    }
  }

  TEST_CASE("behind a page that says nothing is nothing where all were listed or upstream told before") {
    Page page;
    page.contacts.resize(100);
    page.total = 100;  // as `count` has it: the page's own
    CHECK(records::onward(page, {.done = 100}) == Onward::Next);
    CHECK(records::onward(page, {.done = 200, .told = true}) == Onward::Next);
    CHECK(records::onward(page, {.done = 100, .all_listed = true}) == Onward::End);
    page.counted = page.total = 200;
    CHECK(records::onward(page, {.done = 200}) == Onward::Next);  // some that were read may be deleted since
    CHECK(records::onward(page, {.done = 199, .told = true}) == Onward::Next);
    CHECK(records::onward(page, {.done = 200, .told = true}) == Onward::End);
    page.contacts.resize(99);
    page.counted = page.total = 300;  // some were added meanwhile
    CHECK(records::onward(page, {.done = 199}) == Onward::Next);
    for (const auto tells : {NextPage::Untold, NextPage::None}) {
      page.tells = tells;
      CHECK(records::onward(page, {.done = 199, .told = true}) == Onward::End);
    }
    page.tells = NextPage::Told;
    CHECK(records::onward(page, {.done = 300, .told = true, .all_listed = true}) == Onward::Next);
  }

  TEST_CASE("an upstream that lists the same again has no more, or has more that cannot be reached") {
    Page page;
    page.contacts.resize(7);
    CHECK(records::onward(page, {.done = 7, .repeated = true}) == Onward::End);
    page.total = 7;
    CHECK(records::onward(page, {.done = 7, .repeated = true}) == Onward::End);
    page.total = 8;
    CHECK(records::onward(page, {.done = 7, .repeated = true}) == Onward::Lost);
    page.total = 0;
    page.contacts.resize(100);  // as many as were asked for
    CHECK(records::onward(page, {.done = 100, .repeated = true}) == Onward::Lost);
    page.contacts.resize(250);
    CHECK(records::onward(page, {.done = 250, .repeated = true}) == Onward::End);
  }

  TEST_CASE("what is no page is a problem, and so is one that leads to itself") {
    const std::string one = contact("a", "2024-01-01T00:00:01.000Z");
    for (const std::string& body :
         {std::string(), std::string("<html>"), std::string("{}"), std::string(R"({"contacts":7})"),
          std::string(R"({"contacts":[{"name":"no id"}]})"), std::string(R"({"contacts":[{"id":"a"})")}) {
      CAPTURE(body);
      const auto result = read(body);
      CHECK(std::get<server::Response>(result).status == 502);
    }
    CHECK(std::holds_alternative<server::Response>(
        read("{\"contacts\":[" + one + "]," + kMeta + "}", {1'704'067'200'000, "c"})));
  }

  TEST_CASE("an export goes on behind its last contact, or where that one would be") {
    Page page;
    for (const auto& [id, added] : {std::pair{"e", 30}, {"b", 20}, {"d", 20}, {"a", 10}})
      page.contacts.push_back({{}, id, added});
    const auto place = [&](const std::string& id, std::int64_t added) {
      policies::RecordCursor cursor;
      cursor.last_id = id;
      cursor.last_ms = added;
      return records::place_in(page, cursor);
    };
    CHECK(place("", 0) == 0);
    CHECK(place("e", 30) == 1);
    CHECK(place("a", 10) == 4);
    CHECK(place("c", 20) == 2);  // gone; it stood between two that were added in the same moment
    CHECK(place("z", 20) == 3);
    CHECK(place("z", 25) == 1);
    CHECK(place("z", 40) == 0);
    CHECK(place("z", 5) == 4);
  }

  TEST_CASE("a page's target names the location and where to begin, encoded") {
    CHECK(records::page_target("loc 1", {}) == "/contacts/?locationId=loc%201&limit=100");
    CHECK(records::page_target("l", {17, "a/b"}) ==
          "/contacts/?locationId=l&limit=100&startAfter=17&startAfterId=a%2Fb");
  }
}
