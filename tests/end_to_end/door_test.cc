// Who may do what: every client with every location and kind of operation, and what a wrong key can learn.
#include <openssl/hmac.h>

#include <algorithm>
#include <optional>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/sanitized.h"

using namespace oauth_test;

namespace {

struct Client {
  std::string name, key, locations, operations;
  HttpFields fields() const {
    HttpFields fields{{"Cache-Control", "no-store"}, {"Content-Type", "application/json"}};
    if (!key.empty()) fields.emplace_back("Authorization", "Bearer " + key);
    return fields;
  }
};

#ifdef NDEBUG
constexpr bool kTimed = !kSanitized;
#else
constexpr bool kTimed = false;
#endif

// As `contacts-gateway hash-key` makes it: HMAC-SHA-256 under a salt (gateway/access/key_hash.h).
std::string hash_of(const std::string& key) {
  const auto hex = [](const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text.append({"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]});
    return text;
  };
  const unsigned char salt[16] = {1, 2, 3};
  unsigned char digest[32];
  unsigned size = sizeof digest;
  HMAC(EVP_sha256(), salt, sizeof salt, reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest, &size);
  return "sha256:" + hex(salt, sizeof salt) + ":" + hex(digest, size);
}

constexpr const char* kKeyTail = "-0123456789abcdef0123456789abcdef";

std::vector<Client> clients() {
  const auto key = [](const char* name) { return "cgk_" + std::string(name) + kKeyTail; };
  return {{"all", key("all"), "", ""},
          {"reader", key("reader"), "", R"(["read"])"},
          {"writer", key("writer"), "", R"(["write"])"},
          {"of-a", key("of-a"), R"(["loc_a"])", ""},
          {"reader-of-a", key("reader-of-a"), R"(["loc_a"])", R"(["read"])"},
          {"of-both", key("of-both"), R"(["loc_a","loc_b"])", R"(["read","write"])"},
          {"of-nowhere", key("of-nowhere"), R"(["loc_gone"])", ""}};
}

std::string config() {
  std::string list;
  for (const auto& client : clients()) {
    list +=
        (list.empty() ? "" : ",") + (R"({"name":")" + client.name + R"(","key_hash":")") + hash_of(client.key) + "\"";
    if (!client.locations.empty()) list += R"(,"locations":)" + client.locations;
    if (!client.operations.empty()) list += R"(,"operations":)" + client.operations;
    list += "}";
  }
  return R"({"credentials":{"locations":{"loc_a":{"token":"token-a"},"loc_b":{"token":"token-b"}}},)"
         R"("rate_limit":{"requests":100000,"interval":"1s"},"clients":[)" +
         list + "]}";
}

struct Door {
  SimulatorProcess simulator{
      {.arguments = {"--location", "loc_a=token-a", "--location", "loc_b=token-b", "--limit", "0"}}};
  GatewayProcess gateway{{.upstream = simulator.url(), .settings = {{"log.requests", "off"}}, .config = config()}};
};

bool among(const std::string& list, const std::string& what) {
  return list.empty() || list.find("\"" + what + "\"") != std::string::npos;
}

}  // namespace

TEST_SUITE("door") {
  TEST_CASE("without clients programs are served, and browsers for another site's page are not") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0"}}};
    GatewayOptions options{.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}};
    const struct {
      HttpFields fields;
      int status, with_clients;
      std::string type;
    } cases[] = {
        {{}, 200, 401, ""},
        {{{"Origin", "http://evil.example"}}, 403, 401, "cross-site-request"},
        {{{"Sec-Fetch-Site", "cross-site"}}, 403, 401, "cross-site-request"},
        {{{"Host", "evil.example"}, {"Sec-Fetch-Site", "same-origin"}}, 403, 401, "foreign-host"},
        {{{"Host", "services.example"}}, 200, 401, ""},
        {{{"Origin", "http://localhost:5173"}}, 200, 401, ""},
        {{{"Host", "gateway:8080"}}, 200, 401, ""},
    };
    GatewayProcess open(options);
    options.config = R"({"clients":[{"name":"all","key_hash":")" + hash_of(std::string("cgk_all") + kKeyTail) + "\"}]}";
    GatewayProcess closed(options);
    const std::string kContact = "/contacts/contact0000000000001";
    for (const auto& each : cases) {
      CAPTURE(each.type);
      for (int round = 0; round < 2; ++round) {  // the second from the cache
        const auto answer = HttpClient(open.address()).get(kContact, each.fields);
        CHECK(answer.status == each.status);
        CHECK(answer.body.find("problems/" + each.type) != (each.type.empty() ? 0 : std::string::npos));
      }
      // With clients the key decides.
      CHECK(HttpClient(closed.address()).get(kContact, each.fields).status == each.with_clients);
      auto fields = each.fields;
      fields.emplace_back("Authorization", std::string("Bearer cgk_all") + kKeyTail);
      CHECK(HttpClient(closed.address()).get(kContact, fields).status == 200);
    }
    // A "simple" request of a page's, which needs no leave from here.
    const auto tagged = HttpClient(open.address())
                            .send({.method = "POST",
                                   .target = kContact + "/tags",
                                   .fields = {{"Content-Type", "text/plain"}, {"Origin", "http://evil.example"}},
                                   .body = R"({"tags":["evil"]})"});
    CHECK(tagged.status == 403);
    CHECK(HttpClient(simulator.address()).get("/_simulator/contacts?locationId=loc_demo").body.find("evil") ==
          std::string::npos);
  }

  TEST_CASE("each client may do what its rules say and nothing else, whether or not a location exists") {
    Door door;
    HttpClient http(door.gateway.address());
    const struct {
      std::string kind, method, target, body;
    } operations[] = {
        {"read", "GET", "/contacts/?locationId=", ""},
        {"read", "POST", "/contacts/search", R"({"pageLimit":1,"locationId":")"},
        {"write", "POST", "/contacts/upsert", R"({"email":"ada@example.com","locationId":")"},
    };
    std::string forbidden_there;
    int asked = 0;
    for (const auto& client : clients()) {
      for (const std::string location : {"loc_a", "loc_b", "loc_gone", "loc_never"}) {
        for (const auto& operation : operations) {
          CAPTURE(client.name);
          CAPTURE(location);
          CAPTURE(operation.target);
          HttpRequest request{.method = operation.method, .target = operation.target, .fields = client.fields()};
          if (operation.body.empty())
            request.target += location;
          else
            request.body = operation.body + location + "\"}";
          const auto answer = http.send(request);
          const bool allowed = among(client.locations, location) && among(client.operations, operation.kind);
          const bool held = location == "loc_a" || location == "loc_b";  // the gateway has a token for it
          ++asked;
          if (allowed && held) {
            CHECK(answer.status / 100 == 2);
            continue;
          }
          CHECK(answer.status == 403);
          CHECK(answer.field("Content-Type") == "application/problem+json");
          const auto type = Json(answer.body).text("type");
          CHECK(type.find(allowed ? "no-credentials" : "forbidden") != std::string::npos);
          // The body for a location that is there is the one for a location that is not.
          if (allowed || !among(client.operations, operation.kind)) continue;
          if (forbidden_there.empty()) forbidden_there = answer.body;
          CHECK(answer.body == forbidden_there);
        }
      }
    }
    CHECK(asked == 7 * 4 * 3);
    for (const std::string key : {"", "cgk_nobody-0123456789abcdef0123456789abcdef", "all", "cgk_all"}) {
      for (const auto& operation : operations) {
        const auto answer = http.send({.method = operation.method,
                                       .target = operation.target + (operation.body.empty() ? "loc_a" : ""),
                                       .fields = Client{"", key, "", ""}.fields(),
                                       .body = operation.body.empty() ? "" : operation.body + "loc_a\"}"});
        CHECK(answer.status == 401);
        CHECK(answer.has("WWW-Authenticate"));
        CHECK(Json(answer.body).text("type").find("no-client-key") != std::string::npos);
      }
    }
    // What a body says of the location counts as much as the query, and the two must agree.
    const auto conflict = http.send({.method = "POST",
                                     .target = "/contacts/search?locationId=loc_a",
                                     .fields = clients()[3].fields(),
                                     .body = R"({"pageLimit":1,"locationId":"loc_b"})"});
    CHECK(conflict.status >= 400);
    CHECK(conflict.status <= 403);
  }

  // Wrong keys that differ from the right one at their first, middle and last character, and one of another client's
  // length, interleaved, each on a connection that remembers nothing of them. Medians of many, since one is noise; the
  // claim is that the place of the difference explains nothing.
  TEST_CASE("how long a wrong key takes does not tell where it differs" * doctest::skip(!kTimed)) {
    Door door;
    HttpClient http(door.gateway.address());
    const auto right = clients()[0].key;
    std::vector<std::string> keys;
    for (const std::size_t at : {std::size_t{4}, right.size() / 2, right.size() - 1}) {
      keys.push_back(right);
      keys.back()[at] = keys.back()[at] == 'x' ? 'y' : 'x';
    }
    constexpr int kRounds = 3'000;
    std::vector<std::vector<double>> took(keys.size());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto which = (i + static_cast<std::size_t>(round)) % keys.size();
        const auto began = std::chrono::steady_clock::now();
        const auto status = http.get(list_of("loc_a"), Client{"", keys[which], "", ""}.fields()).status;
        took[which].push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
        REQUIRE(status == 401);
      }
    }
    // Medians and, for how much they vary by chance alone, the medians of each tenth of the rounds.
    const auto median = [](std::vector<double> values) {
      std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
      return values[values.size() / 2];
    };
    double least = 1e9, most = 0, chance = 0;
    for (const auto& values : took) {
      const double middle = median(values);
      least = std::min(least, middle);
      most = std::max(most, middle);
      const auto tenth = static_cast<std::ptrdiff_t>(values.size() / 10);
      double low = 1e9, high = 0;
      for (std::ptrdiff_t i = 0; i < 10; ++i) {
        const double part = median({values.begin() + i * tenth, values.begin() + (i + 1) * tenth});
        low = std::min(low, part);
        high = std::max(high, part);
      }
      chance = std::max(chance, high - low);
    }
    MESSAGE("medians within ", most - least, " us of each other; by chance alone they vary by ", chance, " us");
    CHECK(most - least <= chance);
  }
}
