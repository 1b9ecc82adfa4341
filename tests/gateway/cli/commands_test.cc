#include "gateway/cli/commands.h"

#include <doctest/doctest.h>

#include <sstream>

#include "gateway/access/key_hash.h"
#include "gateway/admin/purge.h"
#include "gateway/cli/exit_code.h"
#include "tests/support/temp_dir.h"

namespace cli = gateway::cli;

namespace {

struct Ran {
  int code;
  std::string out, errors;
};

Ran hash_key(bool generate, const std::string& typed) {
  std::istringstream in(typed);
  std::ostringstream out, errors;
  const int code = cli::hash_key(generate, false, in, out, errors);
  return {code, out.str(), errors.str()};
}

Ran purge(const std::string& address, const cli::PurgeRequest& request) {
  gateway::config::Inputs inputs;
  inputs.flags = {"--admin.listen", address};
  std::ostringstream out, errors;
  const int code = cli::purge(inputs, request, out, errors);
  return {code, out.str(), errors.str()};
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("hash-key hashes the typed key, and a generated one is printed with its hash") {
    const std::string key = gateway::access::new_key();
    for (const char* end : {"\n", "\r\n", ""}) {
      const Ran ran = hash_key(false, key + end);
      CHECK(ran.code == cli::kDone);
      CHECK(gateway::access::key_matches(key, ran.out.substr(0, ran.out.size() - 1)));
      CHECK(ran.out.find(key) == std::string::npos);
    }
    const Ran made = hash_key(true, "");
    std::istringstream words(made.out);
    std::string label, new_key, hash;
    words >> label >> new_key >> label >> hash;
    CHECK(gateway::access::key_matches(new_key, hash));
  }

  TEST_CASE("a key that could be guessed is refused") {
    for (const char* typed : {"", "\n", "password\n", "1234567890123456789\n"}) {
      const Ran ran = hash_key(false, typed);
      CHECK(ran.code == cli::kInvalid);
      CHECK(ran.out.empty());
      CHECK(ran.errors.find("at least 20") != std::string::npos);
    }
  }

  TEST_CASE("check prints each setting with where it came from, or what is wrong, and no secret") {
    gateway::config::Inputs inputs;
    inputs.environment = {{"GATEWAY_CREDENTIALS_TOKEN", "pit-very-secret"}, {"GATEWAY_LISTEN", "127.0.0.1:1"}};
    std::ostringstream out, errors;
    CHECK(cli::check(inputs, false, out, errors) == cli::kDone);
    CHECK(out.str().find("GATEWAY_LISTEN\n") != std::string::npos);
    CHECK(out.str().find("pit-very-secret") == std::string::npos);
    CHECK(errors.str().empty());

    inputs.environment.emplace_back("GATEWAY_NOPE", "x");
    CHECK(cli::check(inputs, false, out, errors) == cli::kInvalid);
    CHECK(errors.str() == "contacts-gateway: GATEWAY_NOPE: unknown variable\n");

    inputs.environment = {{"GATEWAY_LISTEN", "0.0.0.0:1"}};
    std::ostringstream both;
    CHECK(cli::check(inputs, false, out, both) == cli::kInvalid);
    CHECK(both.str().find("contacts-gateway: listen: others can reach") == 0);
    CHECK(both.str().find("contacts-gateway: credentials: none given") != std::string::npos);
  }

  TEST_CASE("check prints a row for each setting, however long its value is or however many lines it has") {
    gateway::config::Inputs inputs;
    const std::string hex(64, 'a');
    // Of RFC 8410 section 10.1.
    const std::string first = "-----BEGIN PUBLIC KEY-----",
                      base64 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
                      last = "-----END PUBLIC KEY-----";
    for (const auto& [given, printed] :
         {std::pair{hex, hex}, {first + "\n" + base64 + "\r\n" + last + "\n", first + "\\n" + base64 + "\\n" + last}}) {
      inputs.environment = {{"GATEWAY_CREDENTIALS_TOKEN", "t"}, {"GATEWAY_WEBHOOKS_PUBLIC_KEY", given}};
      std::ostringstream out, errors;
      CHECK_MESSAGE(cli::check(inputs, false, out, errors) == cli::kDone, errors.str());
      CHECK(out.str().find("  " + printed + "  GATEWAY_WEBHOOKS_PUBLIC_KEY\n") != std::string::npos);
    }
  }

  TEST_CASE("purge asks the admin address, with its key, and says what came back") {
    const test_support::TempDir folder;
    const std::string key = gateway::access::new_key();
    gateway::admin::Admin admin({gateway::access::hash_key(key), false});
    gateway::admin::Purge asked;
    admin.add(gateway::admin::purge_route(
        [&](gateway::admin::Purge purge, const std::function<void(gateway::admin::Purged)>& done) {
          asked = std::move(purge);
          done({.done = true, .entries = 7, .why = ""});
        }));
    const std::string socket = "unix:" + (folder.path() / "admin.sock").string();
    gateway::server::Server server(
        {.name = "admin-test", .addresses = {socket, "127.0.0.1:0"}, .threads = 1, .limits = {}}, admin.handlers());
    server.start();
    const std::string key_file = folder.write("key", key + "\n");
    for (const std::string& address : server.addresses()) {
      Ran ran = purge(
          address, {.keys = {"contact:1", "contact:\"2\""}, .location = "", .all = false, .admin_key_file = key_file});
      CHECK(ran.code == cli::kDone);
      CHECK(ran.out == "{\"purged\":7}\n");
      CHECK(asked.keys == std::vector<std::string>{"contact:1", "contact:\"2\""});
      ran = purge(address, {.keys = {}, .location = "L1", .all = false, .admin_key_file = ""});
      CHECK(ran.code == cli::kFailed);
      CHECK(ran.errors.starts_with("contacts-gateway: "));
      CHECK(ran.errors.find("admin-key-needed") != std::string::npos);
      CHECK(ran.errors.find('{') == std::string::npos);
    }
  }

  TEST_CASE("flows asked of a gateway without any says so, in one sentence") {
    gateway::admin::Admin admin({"", false});
    gateway::server::Server server({.name = "admin-test", .addresses = {"127.0.0.1:0"}, .threads = 1, .limits = {}},
                                   admin.handlers());
    server.start();
    gateway::config::Inputs inputs;
    inputs.flags = {"--admin.listen", server.addresses().front()};
    std::ostringstream out, errors;
    CHECK(cli::flows(inputs, {.action = "list"}, out, errors) == cli::kFailed);
    CHECK(out.str().empty());
    CHECK(errors.str() == "contacts-gateway: the gateway at " + server.addresses().front() +
                              " has no flows: it runs without flows.path\n");
  }

  TEST_CASE("purge without one thing to purge, or without a gateway, says so") {
    const test_support::TempDir folder;
    const std::string nobody = "unix:" + (folder.path() / "nobody.sock").string();
    CHECK(purge(nobody, {}).code == cli::kInvalid);
    CHECK(purge(nobody, {.keys = {"contact:1"}, .location = "", .all = true, .admin_key_file = ""}).code ==
          cli::kInvalid);
    const Ran ran = purge(nobody, {.keys = {}, .location = "", .all = true, .admin_key_file = ""});
    CHECK(ran.code == cli::kFailed);
    CHECK(ran.errors.find("does not answer") != std::string::npos);
    CHECK(purge(nobody, {.keys = {}, .location = "", .all = true, .admin_key_file = "/nowhere"}).code == cli::kInvalid);
  }
}
