#include "policies/credentials.h"

#include <doctest/doctest.h>

#include "policies/token_answer.h"

using namespace policies;
using namespace std::chrono_literals;

namespace {

constexpr TokenTimes kDay{1'000s, 1'000s + 86'399s};
constexpr TokenTimes kShort{1'000s, 1'002s};

std::string name_of(const GrantChoice& choice) {
  if (const auto* use = std::get_if<UseGrant>(&choice)) return "use " + std::to_string(use->index);
  if (const auto* ended = std::get_if<EndedGrant>(&choice)) return "ended " + std::to_string(ended->index);
  if (const auto* unnamed = std::get_if<UnnamedGrant>(&choice)) return "unnamed " + std::to_string(unnamed->index);
  if (std::holds_alternative<AwaitGrant>(choice)) return "await";
  if (std::holds_alternative<NoGrant>(choice)) return "none";
  std::string text = "mint";
  for (const auto index : std::get<MintFrom>(choice).companies) text += " " + std::to_string(index);
  return text;
}

std::string meaning(int status, std::string_view body) {
  const auto answer = read_token_answer(status, body);
  if (std::holds_alternative<GrantRefused>(answer)) return "dead";
  if (const auto* fault = std::get_if<TokenFault>(&answer)) return std::string(to_string(fault->reason));
  return "pair";
}

}  // namespace

TEST_SUITE_BEGIN("credentials");

TEST_CASE("a token is renewed at 80 % of its life or a little before, never after") {
  for (const auto& times : {kDay, kShort}) {
    const auto life = times.expires - times.obtained;
    CHECK(renew_at(times, 0) == times.obtained + life * 8 / 10);
    CHECK(renew_at(times, 0.999) > times.obtained + life * 71 / 100);
    CHECK(renew_at(times, 0.5) < renew_at(times, 0.1));
  }
}

TEST_CASE("a token may be used until shortly before its end") {
  CHECK(usable(kDay, kDay.obtained));
  CHECK(usable(kDay, kDay.expires - 6s));
  CHECK_FALSE(usable(kDay, kDay.expires - 4s));
  CHECK(usable(kShort, kShort.expires - 250ms));
  CHECK_FALSE(usable(kShort, kShort.expires - 150ms));
  CHECK_FALSE(usable({}, 0ms));
}

TEST_CASE("the pause after failed renewals doubles, stays within a token's life at first, and is 30 s at most") {
  CHECK(renewal_pause(1, kShort, 1) == 50ms);
  CHECK(renewal_pause(2, kShort, 1) == 100ms);
  CHECK(renewal_pause(1, kDay, 1) == 1s);
  CHECK(renewal_pause(1, kDay, 0) == 500ms);
  CHECK(renewal_pause(1'000, kDay, 1) == 30s);
  CHECK(renewal_pause(1, {}, 1) == 50ms);
}

TEST_CASE("only invalid_grant ends a grant; every other refusal and failure passes") {
  const struct {
    int status;
    std::string_view body, means;
  } cases[] = {
      {200, R"({"access_token":"a","refresh_token":"r","expires_in":86399})", "pair"},
      {201, R"({"access_token":"a"})", "pair"},
      {400, R"({"error":"invalid_grant","error_description":"Invalid grant: refresh token is invalid"})", "dead"},
      {401, R"({"error":"invalid_grant"})", "dead"},
      {400, R"({"statusCode":400,"message":"Location is not active","error":"Bad Request"})", "refused"},
      {400, R"({"message":"invalid_grant"})", "refused"},
      {400, R"({"error":"invalid_request"})", "refused"},
      {422, R"({"message":["client_id should not be empty"]})", "refused"},
      {400, "invalid_grant", "refused"},
      {403, "<html>", "refused"},
      {401, R"({"error":"invalid_client"})", "client_refused"},
      {429, R"({"error":"invalid_grant"})", "busy"},
      {500, R"({"error":"invalid_grant"})", "failing"},
      {503, "", "failing"},
      {200, R"({"error":"none"})", "unreadable"},
      {200, "{", "unreadable"},
      {200, R"({"nested":{"access_token":"a"}})", "unreadable"},
      {200, R"({"access_token":"a\r\nX-Made-Up: 1"})", "malformed"},
      {200, R"({"access_token":"a\u0000"})", "malformed"},
      {200, R"({"access_token":"\u00e9"})", "malformed"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.body);
    CHECK(meaning(row.status, row.body) == row.means);
  }
}

TEST_CASE("a refresh token is taken also from an answer whose access token is of no use: the one before it is spent") {
  for (const char* access : {R"("access_token":"a\nb",)", ""}) {
    const auto answer = read_token_answer(200, std::string("{") + access + R"("refresh_token":"next"})");
    REQUIRE(std::holds_alternative<TokenFault>(answer));
    CHECK(std::get<TokenFault>(answer).refresh_token == "next");
  }
}

TEST_CASE("a token pair is read with whom it is for and how long it lives") {
  const auto location = std::get<TokenPair>(read_token_answer(
      200, R"({"access_token":"a","refresh_token":"r","expires_in":86399,"scope":"contacts.readonly",)"
           R"("userType":"Location","locationId":"loc","companyId":"com"})"));
  CHECK(location.access_token == "a");
  CHECK(location.refresh_token == "r");
  CHECK(location.life == 86'399s);
  CHECK(location.scope == "contacts.readonly");
  CHECK(location.kind == GrantKind::Location);
  CHECK(location.subject == "loc");
  const auto subject = [](std::string_view more) {
    return std::get<TokenPair>(read_token_answer(200, std::string(R"({"access_token":"a")").append(more) + "}"))
        .subject;
  };
  CHECK(subject(R"(,"approvedLocations":["loc"])") == "loc");
  CHECK(subject(R"(,"userType":"Location","locationId":"loc","approvedLocations":["other"])") == "loc");
  CHECK(subject(R"(,"approvedLocations":["loc","other"])").empty());  // which one is not said
  CHECK(subject(R"(,"userType":"Company","approvedLocations":["loc"])").empty());
  const auto company = std::get<TokenPair>(
      read_token_answer(200, R"({"access_token":"a","userType":"Company","companyId":"com","expires_in":"nonsense"})"));
  CHECK(company.kind == GrantKind::Company);
  CHECK(company.subject == "com");
  CHECK(company.refresh_token.empty());
  CHECK(company.life == 3'600s);
  CHECK(std::get<TokenPair>(read_token_answer(200, R"({"access_token":"a","expires_in":-5})")).life == 1s);
}

TEST_CASE("a location's own grant serves it, else its agency makes a token, else the caller learns why not") {
  using K = GrantKind;
  const struct {
    std::string_view location;
    std::vector<GrantView> grants;
    std::string_view choice;
  } cases[] = {
      {"a", {}, "none"},
      {"a", {{K::Location, "a", true, false, false}}, "use 0"},
      {"", {{K::Location, "a", true, false, false}}, "use 0"},
      {"b", {{K::Location, "a", true, false, false}}, "none"},
      {"b", {{K::Location, "a", true, false, false}, {K::Location, "b", true, false, false}}, "use 1"},
      {"a", {{K::Location, "a", false, false, false}}, "await"},
      {"a", {{K::Location, "a", false, true, false}}, "ended 0"},
      {"a", {{K::Location, "a", true, true, false}}, "use 0"},  // dead, and its last access token still lives
      {"a", {{K::Location, "a", false, true, false}, {K::Location, "a", true, false, false}}, "use 1"},
      {"a", {{K::Location, "a", false, true, false}, {K::Company, "c", true, false, false}}, "mint 1"},
      {"a", {{K::Company, "c", true, false, false}}, "mint 0"},
      {"", {{K::Company, "c", true, false, false}}, "none"},  // an agency's token is for no location by itself
      {"a", {{K::Company, "c", false, false, false}, {K::Company, "d", true, false, false}}, "mint 0 1"},
      {"a", {{K::Company, "c", false, true, false}}, "ended 0"},
      {"a", {{K::Location, "", false, false, false}}, "await"},  // its first token says whose it is
      {"a", {{K::Location, "", false, true, false}}, "ended 0"},
      {"a", {{K::Location, "", true, false, false}}, "unnamed 0"},  // and it did not
      {"", {{K::Location, "", true, false, false}}, "use 0"},
      {"a", {{K::Location, "", true, false, false}, {K::Location, "", false, false, false}}, "await"},
      {"a", {{K::Location, "", true, false, false}, {K::Company, "c", true, false, false}}, "mint 1"},
      {"a", {{K::Location, "a", true, false, true}}, "none"},  // uninstalled
      {"a", {{K::Company, "c", true, false, true}}, "none"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.choice);
    CHECK(name_of(choose_grant(row.location, row.grants)) == row.choice);
  }
}

TEST_CASE("a 401 for a missing version or scope says nothing about the token") {
  CHECK(means_token_refused(401, R"({"statusCode":401,"message":"Invalid JWT"})"));
  CHECK(means_token_refused(401, ""));
  CHECK_FALSE(means_token_refused(401, R"({"message":"version header was not found."})"));
  CHECK_FALSE(means_token_refused(401, R"({"message":"The token is not authorized for this scope."})"));
  CHECK_FALSE(means_token_refused(401, R"({"message":"This authClass type is not allowed to access this scope."})"));
  CHECK_FALSE(means_token_refused(403, "Invalid JWT"));
}

TEST_CASE("a token that was good and is refused is renewed at once, one that never was ever more rarely") {
  ForcedRenewals forced;
  CHECK(forced.admit(true, 100s));
  CHECK(forced.admit(true, 100s));
  CHECK_FALSE(forced.admit(false, 100s + 900ms));
  CHECK(forced.admit(false, 101s));
  CHECK_FALSE(forced.admit(false, 102s + 900ms));
  CHECK(forced.admit(false, 103s));
  Instant now = 103s;
  int admitted = 0;
  for (; now < 103s + 24h; now += 1s) admitted += forced.admit(false, now) ? 1 : 0;
  CHECK(admitted < 310);
  CHECK(forced.admit(true, now));
}

TEST_CASE("INSTALL and UNINSTALL name app, company and location") {
  const auto read =
      read_installation("INSTALL", R"({"type":"INSTALL","appId":"app","locationId":"loc","companyId":"com"})");
  REQUIRE(read);
  CHECK(read->installed);
  CHECK(read->app == "app");
  CHECK(read->company == "com");
  CHECK(read->location == "loc");
  const auto gone = read_installation("UNINSTALL", R"({"appId":"app","companyId":"com"})");
  REQUIRE(gone);
  CHECK_FALSE(gone->installed);
  CHECK(gone->location.empty());
  CHECK_FALSE(read_installation("ContactCreate", "{}"));
  CHECK(app_of("ve9EPM428h8vShlRW1KT-lz3abc") == "ve9EPM428h8vShlRW1KT");
  CHECK(app_of("app") == "app");
}

TEST_SUITE_END();
