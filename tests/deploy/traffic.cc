#include "tests/deploy/traffic.h"

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "tests/support/json.h"
#include "tests/support/tls_client.h"

namespace deploy_tests {

using namespace test_support;

namespace {

constexpr milliseconds kPatience{30'000};

std::string contact(int number) {
  const auto text = std::to_string(number);
  return "/contacts/contact" + std::string(13 - text.size(), '0') + text;
}

// The contact of a broken lead is nobody's, which no further try can change.
std::string flow(const std::string& source) {
  const std::string id = source == "good" ? "contact0000000000001" : "contactofnobody00000";
  return R"({"name":")" + source + R"(","on":{"lead":")" + source +
         R"("},"location":"loc_demo","do":[{"step":"look","operation":"get-contact","path":{"contactId":")" + id +
         R"("}}]})";
}

std::string main_settings(const std::string& more) {
  return R"({"credentials":{"token":"simulator-token"},"rate_limit":{"requests":100000,"daily":100000000})" + more +
         "}";
}

}  // namespace

Traffic::Traffic()
    : simulator_(
          {.arguments = {"--limit", "0", "--daily", "0", "--contacts", "400", "--location", "loc_demo", "--location",
                         "loc_oauth", "--token", "simulator-token", "--oauth-client", "app:secret-of-the-app",
                         "--refresh-token", "seed=loc_oauth", "--access-token-life", "10m"}}),
      upstream_(simulator_.address(), kPatience) {
  const auto key = Json(upstream_.get("/_simulator/webhooks").body).text("public_key");
  std::filesystem::create_directory(folder_.path() / "flows");
  for (const std::string source : {"good", "broken"}) folder_.write("flows/" + source + ".json", flow(source));
  main_ = std::make_unique<GatewayProcess>(
      GatewayOptions{.upstream = simulator_.url(),
                     .settings = {{"redis.url", redis_.url()},
                                  {"redis.timeout", "5s"},  // a busy machine is no Redis that is away
                                  {"webhooks.public_key", key},
                                  {"flows.path", folder_.path() / "flows"},
                                  {"cache.memory_bytes", "1MiB"},
                                  {"log.requests", "off"},
                                  {"server.threads", "1"}},
                     .config_file = folder_.write("main.json", main_settings(""))});
  const auto pair = authority_.issue("localhost");
  tight_ = std::make_unique<GatewayProcess>(GatewayOptions{.upstream = simulator_.url(),
                                                           .settings = {{"credentials.token", "simulator-token"},
                                                                        {"server.tls.certificate", pair.certificate},
                                                                        {"server.tls.key", pair.key},
                                                                        {"rate_limit.requests", "4"},
                                                                        {"rate_limit.interval", "2s"},
                                                                        {"rate_limit.daily", "400"},
                                                                        {"log.requests", "off"},
                                                                        {"server.threads", "1"}}});
  client_ = std::make_unique<HttpClient>(main_->address(), kPatience);
  post_upstream("/_simulator/webhooks",
                R"({"url":)" + json_string("http://" + main_->address() + "/webhooks/leadconnector") + "}");
}

void Traffic::post_upstream(const std::string& target, const std::string& body) {
  const auto answer = upstream_.send(
      {.method = "POST", .target = target, .fields = {{"Content-Type", "application/json"}}, .body = body});
  if (answer.status != 200) throw std::runtime_error(target + ": " + answer.body);
}

int Traffic::read(int number) { return client_->get(contact(number)).status; }

void Traffic::read_until_evicted() {
  for (int size = 41; size <= 100; ++size) client_->get("/contacts/?locationId=loc_demo&limit=" + std::to_string(size));
}

int Traffic::write(int number) {
  return client_
      ->send({.method = "PUT",
              .target = contact(number),
              .fields = {{"Content-Type", "application/json"}},
              .body = R"({"firstName":"Grace"})"})
      .status;
}

void Traffic::connect_many(int connections) {
  for (int i = 0; i < connections; ++i) {
    idle_.emplace_back(main_->address(), kPatience);
    idle_.back().connect();
  }
}

void Traffic::purge() {
  HttpClient(main_->admin_address(), kPatience)
      .send({.method = "POST",
             .target = "/cache/purge",
             .fields = {{"Content-Type", "application/json"}},
             .body = R"({"keys":["contact:contact0000000000001"]})"});
}

void Traffic::webhook() {
  post_upstream(
      "/_simulator/webhooks/send",
      R"({"event":{"type":"ContactUpdate","locationId":"loc_demo","id":"contact0000000000001"},"signature":"valid"})");
}

void Traffic::upstream_fails(int reads) {
  post_upstream("/_simulator/faults", R"({"match":{},"fault":"status=503"})");
  for (int number = 200; number < 200 + reads; ++number) read(number);
}

void Traffic::upstream_recovers() { upstream_.send({.method = "DELETE", .target = "/_simulator/faults"}); }

void Traffic::refuse_settings() {
  folder_.write("main.json", main_settings(R"(,"nonsense":1)"));
  main_->process().signal(SIGHUP);
}

void Traffic::post_with_key() {
  client_->send({.method = "POST",
                 .target = "/contacts/contact0000000000001/tags",
                 .fields = {{"Content-Type", "application/json"}, {"Idempotency-Key", "key-of-the-deploy-tests"}},
                 .body = R"({"tags":["tested"]})"});
}

void Traffic::lead(const std::string& source) {
  const auto answer = client_->send({.method = "POST",
                                     .target = "/gateway/leads/" + source,
                                     .fields = {{"Content-Type", "application/json"}},
                                     .body = R"({"locationId":"loc_demo"})"});
  if (answer.status >= 300) throw std::runtime_error("the lead: " + answer.body);
}

void Traffic::start_oauth() {
  const std::string text =
      R"({"credentials":{"oauth":{"store":"file:)" + (folder_.path() / "tokens").string() +
      R"(","store_key":"a-store-key-of-more-than-32-characters","grants":[{"client_id":"app","client_secret":"secret-of-the-app",)"
      R"("refresh_token":"seed","user_type":"Location","redirect_uri":"http://127.0.0.1:1/back"}]}}})";
  oauth_ =
      std::make_unique<GatewayProcess>(GatewayOptions{.upstream = simulator_.url(),
                                                      .settings = {{"log.requests", "off"}, {"server.threads", "1"}},
                                                      .config_file = folder_.write("oauth.json", text)});
  HttpClient(oauth_->address(), kPatience).get("/contacts/?locationId=loc_oauth");
}

void Traffic::renew_token() {
  post_upstream("/_simulator/revoke", R"({"locationId":"loc_oauth"})");
  HttpClient(oauth_->address(), kPatience).get("/contacts/?locationId=loc_oauth", {{"Cache-Control", "no-store"}});
}

std::string Traffic::read_tight(int number, const std::string& fields) {
  TlsClient client(tight_->address(), {.ca = authority_.path()});
  if (!client.handshake()) throw std::runtime_error(client.failure());
  client.write("GET " + contact(number) + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  return client.read_answer();
}

void Traffic::wait_in_line(int requests) {
  for (int i = 0; i < requests; ++i) waiting_.emplace_back([this, i] { read_tight(100 + i); });
}

void Traffic::refuse() {
  for (int number = 300; read_tight(number, "Prefer: wait=0\r\n").find("HTTP/1.1 429") != 0; ++number)
    if (number == 320) throw std::runtime_error("nothing was refused");
}

}  // namespace deploy_tests
