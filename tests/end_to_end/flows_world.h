// Gateways with flows that share one Redis, in front of a simulated upstream, and what its books say. For the tests of
// flows; one thread but where said.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

namespace flows_world {

using namespace test_support;

inline const HttpFields kJson{{"Content-Type", "application/json"}};

inline std::string shipped(const std::string& name) {
  std::ifstream in(source_dir() + "/policies/flows/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string with(std::string text, const std::string& part, const std::string& instead) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  for (auto next = at; next != std::string::npos; next = text.find(part, next + instead.size()))
    text.replace(next, part.size(), instead);
  return text;
}

// What the simulator has, by e-mail.
struct Book {
  std::size_t total = 0;
  std::map<std::string, std::size_t> contacts;  // how many have this e-mail
  std::map<std::string, std::multiset<std::string>> tasks, tags;
  std::map<std::string, std::string> phones, notes;
};

class World {
 public:
  struct Options {
    int replicas = 1;
    bool lasting = false;  // Redis writes each command to its disk before it answers
    std::vector<std::string> simulator{};
    std::vector<std::pair<std::string, std::string>> settings{};
    std::string config{};       // a settings file's text: clients
    std::string fault_point{};  // of the first replica
  };
  explicit World(std::map<std::string, std::string> flows) : World(std::move(flows), Options{}) {}
  World(std::map<std::string, std::string> flows, Options options)
      : options_(std::move(options)), simulator_({.arguments = simulator_arguments(options_)}) {
    for (const auto& [name, text] : flows) folder_.write(name, text);
    RedisServer::Options redis;
    if (options_.lasting) redis.arguments = {"--appendonly", "yes", "--appendfsync", "always"};
    redis_ = std::make_unique<RedisServer>(redis);
    key_ = Json(HttpClient(simulator_.address()).get("/_simulator/webhooks").body).text("public_key");
    replicas_.resize(static_cast<std::size_t>(options_.replicas));
    for (std::size_t i = 0; i < replicas_.size(); ++i) start(i, i == 0 ? options_.fault_point : "");
  }

  void start(std::size_t replica, const std::string& fault_point = "") {
    GatewayOptions options{.upstream = simulator_.url(),
                           .settings = {{"credentials.token", "simulator-token"},
                                        {"redis.url", redis_->url()},
                                        {"flows.path", folder_.path().string()},
                                        {"webhooks.public_key", key_},
                                        {"rate_limit.requests", "1000"},
                                        {"rate_limit.interval", "100ms"},
                                        {"rate_limit.daily", "100000000"},
                                        {"upstream.timeout", "2s"},
                                        {"upstream.connect_timeout", "1s"},
                                        {"server.threads", "1"},
                                        {"log.requests", "off"}}};
    for (const auto& [path, value] : options_.settings) options.settings.emplace_back(path, value);
    options.config = options_.config;
    options.fault_point = fault_point;
    auto gateway = std::make_unique<GatewayProcess>(options);
    const std::lock_guard lock(mutex_);
    if (replicas_.size() <= replica) replicas_.resize(replica + 1);
    replicas_[replica] = std::move(gateway);
  }

  std::string address(std::size_t replica = 0) {
    const std::lock_guard lock(mutex_);
    return replicas_[replica]->address();
  }
  GatewayProcess& gateway(std::size_t replica = 0) { return *replicas_[replica]; }
  RedisServer& redis() { return *redis_; }
  HttpClient upstream() { return HttpClient(simulator_.address(), milliseconds(30'000)); }

  HttpResponse lead(const std::string& body, const std::string& key = "", const std::string& source = "web",
                    std::size_t replica = 0) {
    HttpRequest request{.method = "POST", .target = "/gateway/leads/" + source, .fields = kJson, .body = body};
    if (!key.empty()) request.fields.emplace_back("Idempotency-Key", key);
    return HttpClient(address(replica), milliseconds(15'000)).send(request);
  }

  void control(const std::string& target, const std::string& body, const std::string& method = "POST") {
    const auto answer =
        upstream().send({.method = method, .target = "/_simulator/" + target, .fields = kJson, .body = body});
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
  }

  Book book(const std::string& location = "loc_demo") {
    const Json json(upstream().get("/_simulator/contacts?locationId=" + location).body);
    Book book;
    book.total = json.size("contacts");
    for (std::size_t i = 0; i < book.total; ++i) {
      const std::string at = "contacts." + std::to_string(i);
      const auto text = [&](const std::string& path) {
        return json.has(at + path) && json.find(at + path)->IsString() ? json.text(at + path) : "";
      };
      const auto email = text(".email");
      ++book.contacts[email];
      book.phones[email] = text(".phone");
      for (std::size_t t = 0; t < json.size(at + ".tasks"); ++t)
        book.tasks[email].insert(json.text(at + ".tasks." + std::to_string(t) + ".title"));
      for (std::size_t t = 0; t < json.size(at + ".tags"); ++t)
        book.tags[email].insert(json.text(at + ".tags." + std::to_string(t)));
      for (std::size_t n = 0; n < json.size(at + ".notes"); ++n)
        book.notes[email] += json.text(at + ".notes." + std::to_string(n) + ".body") + "|";
    }
    return book;
  }

  double metric(const std::string& line, std::size_t replica = 0) {
    const auto text = HttpClient(replicas_[replica]->admin_address()).get("/metrics").body;
    const auto at = text.find("\n" + line + " ");
    return at == std::string::npos ? 0 : std::atof(text.c_str() + at + line.size() + 2);
  }
  Json flows(std::size_t replica = 0) {
    const auto answer = HttpClient(replicas_[replica]->admin_address()).get("/flows");
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return Json(answer.body);
  }
  // Nothing waits and nothing is under way; false too while Redis is away, or the gateway too busy to say.
  bool idle(std::size_t replica = 0) try {
    const auto answer = HttpClient(replicas_[replica]->admin_address()).get("/flows");
    if (answer.status != 200) return false;
    const Json state(answer.body);
    return state.integer("queued") == 0 && state.integer("due") == 0;
  } catch (const HttpError&) {
    return false;
  }
  std::size_t contacts() {
    return static_cast<std::size_t>(Json(upstream().get("/_simulator/books").body).integer("contacts"));
  }
  HttpResponse admin(const std::string& target, const std::string& body) {
    return HttpClient(replicas_[0]->admin_address())
        .send({.method = "POST", .target = target, .fields = kJson, .body = body});
  }

 private:
  static std::vector<std::string> simulator_arguments(const Options& options) {
    std::vector<std::string> all{"--limit", "0", "--daily", "0", "--contacts", "0"};
    all.insert(all.end(), options.simulator.begin(), options.simulator.end());
    return all;
  }

  Options options_;
  TempDir folder_;
  SimulatorProcess simulator_;
  std::unique_ptr<RedisServer> redis_;
  std::string key_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<GatewayProcess>> replicas_;
};

inline const milliseconds kLong{60'000};

inline std::map<std::string, std::string> lead_flows() {
  return {
      {"lead-created.json", with(shipped("lead-created.json"), "\"run.location\"", "[\"run.location\", \"event.to\"]")},
      {"lead-updated.json",
       with(shipped("lead-updated.json"), "\"run.location\"", "[\"run.location\", \"event.to\"]")}};
}

inline std::string phone_of(int number) { return "+1415" + std::to_string(5'000'000 + number); }
inline std::string lead_of(int number) {
  const auto phone = phone_of(number);
  return R"({"to":"loc_demo","first_name":" Lead ","lastName":"Number )" + std::to_string(number) +
         R"(","email":"Lead)" + std::to_string(number) + R"(@Example.com","phone":"(415) )" + phone.substr(5, 3) + "-" +
         phone.substr(8) + R"(","tags":["Hot"],"message":"Please call."})";
}
inline std::string email_of(int number) { return "lead" + std::to_string(number) + "@example.com"; }

inline void check_once(World& world, int lead) {
  const auto email = email_of(lead);
  REQUIRE(eventually(kLong, [&] { return world.idle() && world.book().contacts.contains(email); }));
  auto book = world.book();
  CHECK(book.total == 1);
  CHECK(book.contacts[email] == 1);
  CHECK(book.tasks[email] == std::multiset<std::string>{"Call Lead Number " + std::to_string(lead), "Follow up"});
  CHECK(world.flows().integer("dead") == 0);
}

}  // namespace flows_world
