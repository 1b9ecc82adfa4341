// A simulator with OAuth, gateways with grants of it, and what tests of credentials ask of both.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

namespace oauth_test {

using namespace test_support;
using namespace std::chrono_literals;

inline constexpr auto kLimit = 20s;
inline const std::string kSecret = "client-secret-of-the-app", kStoreKey = "a-store-key-of-more-than-32-characters";
inline const std::string kApp = "app0-client";

struct Upstream {
  explicit Upstream(std::vector<std::string> more) : process(options(std::move(more))), control(process.address()) {}
  static SimulatorOptions options(std::vector<std::string> more) {
    SimulatorOptions options{.arguments = {"--location", "loc_a", "--location", "loc_b", "--limit", "0",
                                           "--oauth-client", kApp + ":" + kSecret}};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return options;
  }
  std::string post(const std::string& what, const std::string& body) {
    return control
        .send({.method = "POST",
               .target = "/_simulator/" + what,
               .fields = {{"Content-Type", "application/json"}},
               .body = body})
        .body;
  }
  std::int64_t book(const std::string& name) {
    return Json(control.get("/_simulator/books").body).integer("refresh_tokens." + name);
  }
  // How often an operation was answered so: the token endpoint's are among them.
  std::int64_t answered(int status) {
    const Json books(control.get("/_simulator/books").body);
    const auto path = "statuses." + std::to_string(status);
    return books.has(path) ? books.integer(path) : 0;
  }
  std::string new_seed(const std::string& location) {
    return Json(post("grant", R"({"locationId":")" + location + R"(","clientId":")" + kApp + "\"}"))
        .text("refresh_token");
  }
  void fault(const std::string& path, const std::string& fault, int count) {
    post("faults", R"({"match":{"path_prefix":")" + path + R"("},"fault":")" + fault + R"(","count":)" +
                       std::to_string(count) + "}");
  }
  SimulatorProcess process;
  HttpClient control;
};

inline std::string grant_json(const std::string& seed, const std::string& location = "",
                              const std::string& user_type = "Location") {
  std::string text = R"({"client_id":")" + kApp + R"(","client_secret":")" + kSecret + "\"";
  if (!seed.empty()) text += R"(,"refresh_token":")" + seed + "\"";
  if (!location.empty()) text += R"(,"location":")" + location + "\"";
  return text + R"(,"user_type":")" + user_type + R"(","redirect_uri":"http://127.0.0.1:1/back"})";
}

// The text of a settings file.
inline std::string settings(const std::string& store, const std::vector<std::string>& grants,
                            const std::string& more = "") {
  std::string list;
  for (const auto& grant : grants) list += (list.empty() ? "" : ",") + grant;
  return R"({"credentials":{"oauth":{"store":")" + store + R"(","store_key":")" + kStoreKey + R"(","grants":[)" + list +
         R"(]}},"rate_limit":{"requests":100000,"interval":"1s"})" + more + "}";
}

inline const HttpFields kUncached{{"Cache-Control", "no-store"}};
inline std::string list_of(const std::string& location) { return "/contacts/?locationId=" + location; }

inline int status_at(GatewayProcess& gateway, const std::string& location) {
  return HttpClient(gateway.address(), 60s).get(list_of(location), kUncached).status;
}
inline std::string metrics_of(GatewayProcess& gateway) {
  return HttpClient(gateway.admin_address()).get("/metrics").body;
}

// The value of the metric line that begins so; 0 where there is none.
inline double metric(GatewayProcess& gateway, const std::string& line) {
  const auto text = metrics_of(gateway);
  const auto at = text.find("\n" + line + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size() + 2));
}
inline double refreshes(GatewayProcess& gateway, const std::string& result) {
  return metric(gateway, "gateway_token_refreshes_total{result=\"" + result + "\"}");
}

}  // namespace oauth_test
