#include "policies/foreign_site.h"

#include <doctest/doctest.h>

#include <string>

using policies::Fields;
using policies::foreign_site;
using policies::ForeignSite;

namespace {
std::string of(const Fields& fields, std::string_view host = "127.0.0.1:8080") {
  const auto found = foreign_site(fields.view(), host);
  return !found ? "none" : *found == ForeignSite::Page ? "page" : "host";
}
}  // namespace

TEST_SUITE_BEGIN("foreign site");

TEST_CASE("what programs send is nobody's page") {
  CHECK(of({}) == "none");
  CHECK(of({{"User-Agent", "node"}, {"Sec-Fetch-Mode", "cors"}, {"Accept-Language", "*"}}) == "none");
}

TEST_CASE("another site's page is known by its Origin or by what the browser says of it") {
  CHECK(of({{"Origin", "http://evil.example"}}) == "page");
  CHECK(of({{"origin", "https://evil.example:8080"}}) == "page");
  CHECK(of({{"Origin", "null"}}) == "page");
  CHECK(of({{"Origin", "http://6.6.6.6"}}) == "page");
  CHECK(of({{"Origin", "http://127.0.0.1.evil.example"}}) == "page");
  CHECK(of({{"Origin", "http://127.evil.example"}}) == "page");
  CHECK(of({{"Sec-Fetch-Site", "cross-site"}}) == "page");
  CHECK(of({{"Sec-Fetch-Site", "same-site"}}) == "page");
  CHECK(of({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}}) == "page");
}

TEST_CASE("a page of this machine, or one that somebody typed the address of, is no other site's") {
  CHECK(of({{"Origin", "http://127.0.0.1:8080"}}) == "none");
  CHECK(of({{"Origin", "http://localhost:5173"}}) == "none");
  CHECK(of({{"Origin", "http://[::1]:3000"}, {"Sec-Fetch-Site", "cross-site"}}) == "none");
  CHECK(of({{"Origin", "http://gateway:8080"}}, "gateway:8080") == "none");
  CHECK(of({{"Sec-Fetch-Site", "none"}}) == "none");
  // Through a development server, which sends the browser's fields on.
  CHECK(of({{"Origin", "http://app.example"}, {"Sec-Fetch-Site", "same-origin"}}) == "none");
}

TEST_CASE("from a browser a name that the public DNS may let point here is refused, a private one is not") {
  const Fields browser{{"Sec-Fetch-Site", "same-origin"}};
  for (const char* host : {"localhost:8080", "app.localhost", "127.0.0.1", "[::1]:8080", "10.0.0.1:8080", "gateway",
                           "gateway:8080", "laptop.local", "gateway.internal:8080", "gateway.test", ""})
    CHECK_MESSAGE(of(browser, host) == "none", host);
  for (const char* host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "local.evil.example:80"}) {
    CHECK_MESSAGE(of(browser, host) == "host", host);
    CHECK_MESSAGE(of({{"Origin", "http://" + std::string(host)}}, host) == "host", host);
    CHECK_MESSAGE(of({}, host) == "none", host);  // a program's, by an alias
  }
}

TEST_SUITE_END();
