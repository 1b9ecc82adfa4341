// What clients get when the upstream's limits or the upstream itself cannot serve them: refusals at once with a true
// Retry-After, probes instead of traffic while the upstream fails, retries within their budget.
#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/sanitized.h"
#include "tests/support/simulator_process.h"

using namespace test_support;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

const std::string kContact = "/contacts/contact0000000000001";
const HttpFields kUncached{{"Cache-Control", "no-store"}};

double seconds_since(Clock::time_point then) { return std::chrono::duration<double>(Clock::now() - then).count(); }

double metric(const std::string& admin, const std::string& line) {
  const auto text = HttpClient(admin).get("/metrics").body;
  double sum = 0;
  for (auto at = text.find("\n" + line); at != std::string::npos; at = text.find("\n" + line, at + 1))
    sum += std::atof(text.c_str() + text.find(' ', at + 1));
  return sum;
}

std::vector<HttpClient> queue_up(const std::string& address, int requests, const HttpFields& fields) {
  std::vector<HttpClient> clients;
  clients.reserve(static_cast<std::size_t>(requests));
  for (int i = 0; i < requests; ++i)
    clients.emplace_back(address, 60s).write(to_bytes({.target = kContact, .fields = fields}, "gateway"));
  return clients;
}

}  // namespace

TEST_SUITE("refusals") {
  TEST_CASE("every answer has an X-Request-Id, also where the bytes themselves are refused") {
    SimulatorProcess simulator{{}};
    GatewayProcess gateway{{.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}}};
    struct Row {
      const char* what;
      std::string bytes;
      int status;
    };
    const std::string host = "Host: gateway\r\nX-Request-Id: mine\r\n";
    const Row rows[] = {
        {"an unknown path", "GET /nowhere HTTP/1.1\r\n" + host + "\r\n", 404},
        {"a wrong method", "PATCH /contacts/ HTTP/1.1\r\n" + host + "\r\n", 405},
        {"no request line", "hello\r\n\r\n", 400},
        {"a malformed field", "GET / HTTP/1.1\r\n" + host + "no colon\r\n\r\n", 400},
        {"a body too large", "POST /contacts/ HTTP/1.1\r\n" + host + "Content-Length: 99999999\r\n\r\n", 413},
        {"a target too long", "GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 414},
        {"another expectation", "POST /contacts/ HTTP/1.1\r\n" + host + "Expect: more\r\n\r\n", 417},
        {"a header too large", "GET / HTTP/1.1\r\n" + host + "X: " + std::string(33'000, 'x') + "\r\n\r\n", 431},
    };
    std::vector<std::string> ids;
    for (const auto& row : rows) {
      CAPTURE(row.what);
      HttpClient client(gateway.address());
      client.write(row.bytes);
      const auto answer = client.read();
      CHECK(answer.status == row.status);
      CHECK(answer.field("Content-Type") == "application/problem+json");
      CHECK(answer.count("X-Request-Id") == 1);
      CHECK_FALSE(answer.field("X-Request-Id").empty());
      // No cache took part, and nothing was forwarded (RFC 9211 section 2, RFC 9110 section 7.6.3).
      CHECK_FALSE(answer.has("Cache-Status"));
      CHECK_FALSE(answer.has("Via"));
      ids.push_back(answer.field("X-Request-Id"));
    }
    CHECK(ids.front() == "mine");
    std::sort(ids.begin() + 2, ids.end());
    CHECK(std::adjacent_find(ids.begin() + 2, ids.end()) == ids.end());
    auto& process = gateway.process();
    const auto logged = [&] {
      return process.output(Stream::Error).find("\"id\":\"" + ids.back() + "\"") != std::string::npos;
    };
    CHECK(eventually(5s, logged));
  }

  TEST_CASE("a wait that cannot be met is refused within 50 ms with a true Retry-After") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
    GatewayProcess gateway{
        {.upstream = simulator.url(),
         .settings = {
             {"credentials.token", "simulator-token"}, {"rate_limit.requests", "10"}, {"rate_limit.interval", "1s"}}}};
    auto queued = queue_up(gateway.address(), 60, kUncached);  // ten go at once, fifty wait for five seconds
    REQUIRE(eventually(10s, [&] { return metric(gateway.admin_address(), "gateway_rate_limit_queue_depth") >= 50; }));
    const auto asked = Clock::now();
    HttpClient patient(gateway.address(), 60s);
    patient.write(to_bytes({.target = kContact, .fields = kUncached}, "gateway"));
    HttpClient hurried(gateway.address());
    std::vector<double> took;
    int retry_after = 0;
    for (int i = 0; i < 5; ++i) {
      const auto sent = Clock::now();
      const auto response = hurried.get(kContact, {{"Cache-Control", "no-store"}, {"Prefer", "wait=1"}});
      took.push_back(seconds_since(sent) * 1e3);
      CHECK(response.status == 429);
      CHECK(response.body.find("wait-too-long") != std::string::npos);
      if (i == 0) retry_after = std::atoi(response.field("Retry-After").c_str());
    }
    CHECK(patient.read().status == 200);
    const double waited = seconds_since(asked);
    std::sort(took.begin(), took.end());
    MESSAGE("refused within ", took.front(), " to ", took.back(), " ms; Retry-After ", retry_after,
            " s, and one that waited had its answer after ", waited, " s");
    CHECK(took[took.size() / 2] < (kSanitized ? 500 : 50));
    CHECK(std::abs(retry_after - waited) < 1.6);
  }

  TEST_CASE("a used-up day is refused at once with the time to its reset, and cached reads are answered all the same") {
    SimulatorProcess simulator{{.arguments = {"--daily", "40", "--day", "2h"}}};
    RedisServer redis;
    const GatewayOptions options{.upstream = simulator.url(),
                                 .settings = {{"credentials.token", "simulator-token"},
                                              {"redis.url", redis.url()},
                                              {"cache.operations.get-contact.fresh", "1ms"},
                                              {"cache.operations.get-contact.stale_while_revalidate", "1ms"}}};
    GatewayProcess first(options), second(options);
    HttpClient one(first.address(), 30s), two(second.address(), 30s);
    REQUIRE(one.get(kContact).status == 200);
    int background_refused_at = 0, answered = 1;
    for (int i = 0; i < 60; ++i) {
      auto& client = i % 2 == 0 ? one : two;
      if (background_refused_at == 0 && i >= 30) {
        const auto background = client.get(kContact, {{"Cache-Control", "no-store"}, {"Priority", "u=7"}});
        if (background.status == 429)
          background_refused_at = answered;
        else
          ++answered;
      }
      const auto response = client.get("/contacts/contact0000000000002", kUncached);
      if (response.status == 200) {
        ++answered;
        continue;
      }
      CHECK(response.status == 429);
      CHECK(response.body.find("daily-quota") != std::string::npos);
      const int retry_after = std::atoi(response.field("Retry-After").c_str());
      CHECK(retry_after > 7'000);
      CHECK(retry_after <= 7'200);
      CHECK(response.field("RateLimit").starts_with("\"day\";r=0;t=7"));
    }
    MESSAGE("of 40 a day ", answered, " were answered; background was refused from the ", background_refused_at, "th");
    CHECK(answered >= (kSanitized ? 39 : 40));  // what Redis did not answer in time may be counted for a while
    CHECK(answered <= 40);
    CHECK(background_refused_at >= 36);  // the last 5 % is for the urgent
    CHECK(background_refused_at <= 39);
    for (auto* client : {&one, &two}) {
      // Where 39 were answered the last one is there after all, and its answer is fresh for a moment.
      CHECK(eventually(milliseconds(5'000), [&] {
        const auto answer = client->get(kContact);
        CHECK(answer.status == 200);
        return answer.field("Cache-Status").find("stale-if-error") != std::string::npos;
      }));
    }
    const Json books(HttpClient(simulator.address()).get("/_simulator/books").body);
    CHECK_FALSE(books.has("statuses.429"));
  }

  TEST_CASE("a write whose client leaves while it waits for a permit leaves the queue and is never sent") {
    for (const bool shared : {false, true}) {
      CAPTURE(shared);
      std::optional<RedisServer> redis;
      SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
      GatewayOptions options{
          .upstream = simulator.url(),
          .settings = {
              {"credentials.token", "simulator-token"}, {"rate_limit.requests", "3"}, {"rate_limit.interval", "3s"}}};
      if (shared) options.settings.emplace_back("redis.url", redis.emplace().url());
      GatewayProcess gateway{options};
      const auto depth = [&] { return metric(gateway.admin_address(), "gateway_rate_limit_queue_depth"); };
      const auto creations = [&] {
        return Json(HttpClient(simulator.address()).get("/_simulator/books").body).integer("created.contacts");
      };
      const auto post = [&](const std::string& name, const std::string& key) {
        HttpRequest request{.method = "POST",
                            .target = "/contacts/",
                            .fields = {{"Content-Type", "application/json"}},
                            .body = R"({"locationId":"loc_demo","email":")" + name + R"(@example.com"})"};
        if (!key.empty()) request.fields.emplace_back("Idempotency-Key", key);
        return to_bytes(request, "gateway");
      };
      HttpClient first(gateway.address(), 60s);  // waits until a Redis that came up empty holds no write back any more
      first.write(post("first", ""));
      CHECK(first.read().status == 201);
      const auto before = creations();
      for (auto& client : queue_up(gateway.address(), 2, kUncached)) CHECK(client.read().status == 200);
      std::vector<HttpClient> leaving;
      for (int i = 0; i < 4; ++i) {
        leaving.emplace_back(gateway.address(), 60s);
        leaving.back().write(post("left" + std::to_string(i), i % 2 == 0 ? "" : "key-" + std::to_string(i)));
      }
      HttpClient staying(gateway.address(), 60s);
      staying.write(post("stayed", ""));
      REQUIRE(eventually(10s, [&] { return depth() == 5; }));
      for (std::size_t i = 0; i < leaving.size(); ++i) i < 2 ? leaving[i].close() : leaving[i].reset();
      CHECK(eventually(10s, [&] { return depth() <= 1; }));
      CHECK(staying.read().status == 201);
      // The key of one that left is free, and its effect comes with whoever sends it again.
      HttpClient again(gateway.address(), 60s);
      again.write(post("left1", "key-1"));
      CHECK(again.read().status == 201);
      CHECK(creations() == before + 2);
      CHECK(eventually(10s, [&] { return depth() == 0; }));
      // Who left was refused nothing.
      CHECK(metric(gateway.admin_address(), "gateway_rate_limit_rejections_total") == 0);
    }
  }

  TEST_CASE("a gateway that was stopped for longer than its time limit does not hold that against the upstream") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
    GatewayProcess gateway{{.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"},
                                         {"upstream.timeout", "2s"},
                                         {"upstream.connect_timeout", "1s"}}}};
    HttpClient control(simulator.address());
    const auto set_fault = [&](const std::string& text) {
      control.send({.method = "POST", .target = "/_simulator/faults", .body = text});
    };
    CHECK(HttpClient(gateway.address()).get(kContact, kUncached).status == 200);
    set_fault(R"({"fault":"hang","count":8})");
    auto clients = queue_up(gateway.address(), 8, kUncached);
    const auto hanging = [&] { return Json(control.get("/_simulator/books").body).integer("faults"); };
    REQUIRE(eventually(10s, [&] { return hanging() == 8; }));
    gateway.process().signal(SIGSTOP);
    const auto stopped = Clock::now();
    REQUIRE(eventually(30s, [&] { return seconds_since(stopped) > 6; }));
    gateway.process().signal(SIGCONT);
    for (auto& client : clients) CHECK(client.read().status == 200);  // tried once more, none refused
    CHECK(HttpClient(gateway.address()).get(kContact, kUncached).status == 200);
    CHECK(metric(gateway.admin_address(), "gateway_upstream_circuit_open") == 0);
    // What is lost while it runs counts as ever.
    set_fault(R"({"fault":"reset-before"})");
    for (auto& client : queue_up(gateway.address(), 8, kUncached)) CHECK(client.read().status >= 502);
    CHECK(eventually(5s, [&] { return metric(gateway.admin_address(), "gateway_upstream_circuit_open") == 1; }));
  }

  TEST_CASE("a write that is refused before it is sent makes nothing stale, and a client's wait bounds the tries") {
    for (const bool shared : {false, true}) {
      CAPTURE(shared);
      std::optional<RedisServer> redis;
      SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
      GatewayOptions options{.upstream = simulator.url(),
                             .settings = {{"credentials.token", "simulator-token"},
                                          {"upstream.timeout", "1s"},
                                          {"upstream.connect_timeout", "1s"}}};
      if (shared) options.settings.emplace_back("redis.url", redis.emplace().url());
      GatewayProcess gateway{options};
      HttpClient client(gateway.address(), 60s), control(simulator.address());
      const auto set_fault = [&](const std::string& text) {
        control.send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":")" + text + R"("})"});
      };
      const auto struck = [&] { return Json(control.get("/_simulator/books").body).integer("faults"); };
      set_fault("hang");
      const auto hung = client.get(kContact, {{"Cache-Control", "no-store"}, {"Prefer", "wait=1"}});
      CHECK(hung.status == 504);
      CHECK(hung.field("Cache-Status").find("fwd=") != std::string::npos);
      CHECK(struck() == 1);
      control.send({.method = "DELETE", .target = "/_simulator/faults"});
      CHECK(client.get(kContact).status == 200);
      set_fault("status=503");
      REQUIRE(eventually(20s, [&] {
        return client.get("/contacts/contact0000000000002", kUncached).body.find("circuit-open") != std::string::npos;
      }));
      const auto refused = [&] {
        const auto answer = client.send({.method = "POST",
                                         .target = kContact + "/tags",
                                         .fields = {{"Content-Type", "application/json"}},
                                         .body = R"({"tags":["x"]})"});
        return answer.status == 503 && answer.body.find("circuit-open") != std::string::npos &&
               answer.field("Cache-Status") == "contacts-gateway; detail=circuit-open";
      };
      REQUIRE(refused());
      const auto kept = client.get(kContact);
      CHECK(kept.status == 200);
      CHECK(kept.field("Cache-Status").find("; hit") != std::string::npos);
    }
    // The same by the limit.
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
    GatewayProcess gateway{{.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"},
                                         {"rate_limit.requests", "2"},
                                         {"rate_limit.interval", "60s"},
                                         {"rate_limit.max_wait", "1s"}}}};
    HttpClient client(gateway.address(), 60s);
    for (int i = 0; i < 2; ++i) CHECK(client.get(i == 0 ? kContact : kContact + "/notes").status == 200);
    const auto change = client.send({.method = "PUT",
                                     .target = kContact,
                                     .fields = {{"Content-Type", "application/json"}},
                                     .body = R"({"firstName":"Eve"})"});
    CHECK(change.status == 429);
    CHECK(client.get(kContact).status == 200);
  }

  TEST_CASE("those who wait for a permit when the circuit opens are not sent to the failing upstream") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000"}}};
    GatewayProcess gateway{{.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"},
                                         {"rate_limit.requests", "10"},
                                         {"rate_limit.interval", "2s"},
                                         {"retry.budget", "0%"}}}};
    HttpClient(simulator.address())
        .send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":"status=503"})"});
    auto clients = queue_up(gateway.address(), 60, kUncached);
    int refused_by_gateway = 0;
    for (auto& client : clients) {
      const auto response = client.read();
      CHECK(response.status == 503);
      if (response.body.find("circuit-open") == std::string::npos) continue;
      ++refused_by_gateway;
      CHECK(response.has("Retry-After"));
    }
    CHECK(refused_by_gateway >= 48);
    CHECK(metric(gateway.admin_address(), "gateway_upstream_circuit_open") == 1);
    CHECK(Json(HttpClient(simulator.address()).get("/_simulator/books").body).integer("total") <= 12);
  }

  TEST_CASE(
      "an upstream that fails or refuses for a while is probed, not flooded, and traffic is back within an interval") {
    constexpr int kInterval = 3;  // seconds
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "100000000", "--latency", "5ms-20ms"}}};
    GatewayProcess gateway{{.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"},
                                         {"rate_limit.requests", "150"},
                                         {"rate_limit.interval", std::to_string(kInterval) + "s"},
                                         {"rate_limit.daily", "100000000"},
                                         {"log.requests", "off"}}}};
    HttpClient control(simulator.address());
    const auto fault = [&](const std::string& text) {
      if (text.empty())
        control.send({.method = "DELETE", .target = "/_simulator/faults"});
      else
        control.send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":")" + text + R"("})"});
    };
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0}, refused{0};
    std::vector<std::jthread> clients;
    for (int i = 0; i < 6; ++i)
      clients.emplace_back([&] {
        HttpClient client(gateway.address(), 60s);
        while (!stop) {
          ++(client.get(kContact, kUncached).status == 200 ? answered : refused);
          ::poll(nullptr, 0, 20);  // a client's own time between two requests
        }
      });
    const auto upstream = [&] { return metric(gateway.admin_address(), "gateway_upstream_requests_total"); };
    const auto requests = [&] { return metric(gateway.admin_address(), "gateway_requests_total"); };
    const auto retries = [&] { return metric(gateway.admin_address(), "gateway_upstream_retries_total"); };
    std::string table =
        "phase          seconds  clients' requests  upstream requests  retries  budget so far  recovered after";
    const auto phase = [&](const std::string& name, const std::string& what, double length) {
      fault(what);
      const auto began = Clock::now();
      const int answered_before = answered;
      const double requests_before = requests(), upstream_before = upstream(), retries_before = retries();
      double recovered = -1, settled_at = 0, settled = 0;
      eventually(60s, [&] {
        if (recovered < 0 && answered > answered_before) recovered = seconds_since(began);
        if (settled_at == 0 && seconds_since(began) >= 1) settled_at = seconds_since(began), settled = upstream();
        return seconds_since(began) >= length && (!what.empty() || recovered >= 0);
      });
      const double budget = 10 + 0.2 * (upstream() - retries());
      char text[200];
      std::snprintf(text, sizeof text, "\n%-14s %7.1f %18.0f %18.0f %8.0f %14.0f %16.2f", name.c_str(),
                    seconds_since(began), requests() - requests_before, upstream() - upstream_before,
                    retries() - retries_before, budget, what.empty() ? recovered : 0.0);
      table += text;
      CHECK(retries() <= budget);
      // After the first second only probes go there.
      if (!what.empty()) CHECK((upstream() - settled) / (seconds_since(began) - settled_at) < 4);
      return recovered;
    };
    phase("healthy", "", 3);
    phase("503", "status=503", 8);
    const double after_503 = phase("healed", "", 3);
    phase("429", "status=429", 8);
    const double after_429 = phase("healed", "", 3);
    phase("no answer", "reset-before", 8);
    const double after_reset = phase("healed", "", 3);
    stop = true;
    MESSAGE(table);
    for (const double recovered : {after_503, after_429, after_reset}) CHECK(recovered <= kInterval + 1);
  }
}
