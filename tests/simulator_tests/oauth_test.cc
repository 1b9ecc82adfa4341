#include <doctest/doctest.h>

#include "tests/simulator_tests/world.h"

using namespace simulator;
using namespace simulator_tests;
using namespace std::chrono_literals;

namespace {

Options oauth_options() {
  Options options = default_options();
  options.credentials.clients = {{"app-1", "secret"}};
  options.credentials.access_token_life = 2s;
  return options;
}

Answer refresh(Bench& bench, const std::string& token, const std::string& secret = "secret") {
  return bench.ask("POST", "/oauth/token",
                   "client_id=app-1&client_secret=" + secret + "&grant_type=refresh_token&refresh_token=" + token);
}

std::string member(const Answer& answer, const char* name) {
  return string_member(*parse_json(answer.body), name).value_or("");
}

}  // namespace

TEST_SUITE("oauth") {
  TEST_CASE("a refresh token works once, and the books know of every use") {
    Bench bench(oauth_options());
    const std::string first =
        *string_member(bench.control("POST", "/_simulator/grant", R"({"locationId":"loc_demo"})"), "refresh_token");
    const Answer pair = refresh(bench, first);
    CHECK(pair.status == 200);
    CHECK(parse_json(pair.body)->FindMember("expires_in")->value.GetInt() == 2);
    CHECK(member(pair, "locationId") == "loc_demo");
    const Answer again = refresh(bench, first);
    CHECK(again.status == 400);
    CHECK(member(again, "error") == "invalid_grant");
    CHECK(refresh(bench, member(pair, "refresh_token")).status == 200);
    const Document books = bench.control("GET", "/_simulator/books");
    CHECK(books["refresh_tokens"]["uses"].GetInt() == 2);
    CHECK(books["refresh_tokens"]["used_again"].GetInt() == 1);
  }

  TEST_CASE("an access token ends with its life and when it is revoked") {
    Bench bench(oauth_options());
    const Document seed = bench.control("POST", "/_simulator/grant", R"({"locationId":"loc_demo"})");
    const Answer pair = refresh(bench, *string_member(seed, "refresh_token"));
    bench.authorization = "Bearer " + member(pair, "access_token");
    CHECK(bench.ask("GET", kFirst).status == 200);
    bench.now += 2s;
    CHECK(bench.ask("GET", kFirst).status == 401);
    const Answer next = refresh(bench, member(pair, "refresh_token"));
    bench.authorization = "Bearer " + member(next, "access_token");
    CHECK(bench.ask("GET", kFirst).status == 200);
    CHECK(bench.control("POST", "/_simulator/revoke", R"({"locationId":"loc_demo"})")["revoked"].GetInt() == 1);
    CHECK(bench.ask("GET", kFirst).status == 401);
  }

  TEST_CASE("a wrong secret, a used code and an unknown grant type are told apart") {
    Bench bench(oauth_options());
    const Document seed = bench.control("POST", "/_simulator/grant", R"({"locationId":"loc_demo"})");
    const std::string code = *string_member(seed, "code");
    const std::string form =
        "client_id=app-1&client_secret=secret&grant_type=authorization_code&user_type=Location&code=" + code;
    CHECK(refresh(bench, "any", "wrong").status == 401);
    CHECK(bench.ask("POST", "/oauth/token", form).status == 200);
    CHECK(member(bench.ask("POST", "/oauth/token", form), "error") == "invalid_grant");
    CHECK(member(bench.ask("POST", "/oauth/token", "client_id=app-1&client_secret=secret&grant_type=password"),
                 "error") == "unsupported_grant_type");
    CHECK(bench.ask("POST", "/oauth/token", "client_id=app-1").status == 422);
  }

  TEST_CASE("a company's token makes location tokens and reads no contacts itself") {
    Bench bench(oauth_options());
    const Document seed = bench.control("POST", "/_simulator/grant", R"({"companyId":"agency"})");
    bench.authorization = "Bearer " + member(refresh(bench, *string_member(seed, "refresh_token")), "access_token");
    CHECK(bench.ask("GET", kFirst).status == 401);
    CHECK(bench.ask("POST", "/oauth/locationToken", "companyId=agency").status == 422);
    CHECK(bench.ask("POST", "/oauth/locationToken", "companyId=other&locationId=loc_demo").status == 400);
    const Answer made = bench.ask("POST", "/oauth/locationToken", R"({"companyId":"agency","locationId":"loc_demo"})");
    CHECK(made.status == 200);
    bench.authorization = "Bearer " + member(made, "access_token");
    CHECK(bench.ask("GET", kFirst).status == 200);
  }
}
