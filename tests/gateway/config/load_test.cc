#include "gateway/config/load.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/temp_dir.h"

using gateway::config::Inputs;
using gateway::config::Invalid;
using gateway::config::load;
using namespace std::chrono_literals;

namespace {

Inputs from_file(const std::string& file) {
  Inputs inputs;
  inputs.file = file;
  inputs.operations = {"get-contact", "get-contacts", "search-contacts"};
  return inputs;
}

Inputs from(gateway::config::Environment environment, std::vector<std::string> flags = {}) {
  Inputs inputs = from_file("");
  inputs.environment = std::move(environment);
  inputs.flags = std::move(flags);
  return inputs;
}

// The one line that `inputs` are refused with; all of them joined where there are several.
std::string refusal(const Inputs& inputs) {
  try {
    load(inputs);
  } catch (const Invalid& invalid) {
    return invalid.what();
  }
  return "accepted";
}

std::string shown(const gateway::config::Loaded& loaded, const std::string& path) {
  for (const auto& line : loaded.effective)
    if (line.path == path) return line.value + " <- " + line.origin;
  return "missing";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kHash = "sha256:" + std::string(32, 'a') + ":" + std::string(64, 'b');

}  // namespace

TEST_SUITE("config") {
  TEST_CASE("with nothing given every setting has its default") {
    const auto loaded = load(from({}));
    CHECK(*loaded.settings == gateway::config::Settings{});
    CHECK(shown(loaded, "cache.memory_bytes") == "64MiB <- default");
    CHECK(shown(loaded, "credentials.token") == "(none) <- default");
  }

  TEST_CASE("flags win over the environment, the environment over the file, the file over defaults") {
    const test_support::TempDir scratch;
    const std::string file = scratch.write("gateway.json", R"({
  // comments are allowed
  "listen": "127.0.0.1:1111",
  "upstream": {"version": "v3", "timeout": "7s"},
  "cache": {"memory_bytes": 2097152, /* and here */ "enabled": false},
})");
    Inputs inputs = from_file(file);
    inputs.environment = {
        {"GATEWAY_LISTEN", "127.0.0.1:2222"}, {"GATEWAY_UPSTREAM_VERSION", "2023-02-21"}, {"HOME", "/root"}};
    inputs.flags = {"--listen", "unix:/tmp/gateway.sock"};
    const auto loaded = load(inputs);
    CHECK(loaded.settings->listen == "unix:/tmp/gateway.sock");
    CHECK(loaded.settings->upstream.version == "2023-02-21");
    CHECK(loaded.settings->upstream.timeout == 7s);
    CHECK(loaded.settings->cache.memory_bytes == 2'097'152);
    CHECK_FALSE(loaded.settings->cache.enabled);
    CHECK(shown(loaded, "listen") == "unix:/tmp/gateway.sock <- --listen");
    CHECK(shown(loaded, "upstream.version") == "2023-02-21 <- GATEWAY_UPSTREAM_VERSION");
    CHECK(shown(loaded, "upstream.timeout") == "7s <- " + file + ":4:33");
    CHECK(shown(loaded, "cache.enabled") == "false <- " + file + ":5:53");
  }

  TEST_CASE("GATEWAY_CONFIG names the file, and --config wins over it") {
    const test_support::TempDir scratch;
    const std::string one = scratch.write("one.json", R"({"upstream":{"version":"one"}})");
    const std::string two = scratch.write("two.json", R"({"upstream":{"version":"two"}})");
    CHECK(load(from({{"GATEWAY_CONFIG", one}})).settings->upstream.version == "one");
    Inputs both = from({{"GATEWAY_CONFIG", one}});
    both.file = two;
    CHECK(load(both).settings->upstream.version == "two");
  }

  TEST_CASE("every type is read from a variable and from a flag") {
    const auto s =
        load(from({{"GATEWAY_CACHE_MEMORY_BYTES", "1GiB"},
                   {"GATEWAY_RATE_LIMIT_DAILY_RESERVE", "2.5%"},
                   {"GATEWAY_RATE_LIMIT_REQUESTS", "10"},
                   {"GATEWAY_CREDENTIALS_LOCATIONS_ve9EPM428h8vShlRW1KT_TOKEN", "pit-one"},
                   {"GATEWAY_CACHE_OPERATIONS_GET_CONTACT_FRESH", "5m"},
                   {"GATEWAY_CACHE_OPERATIONS_search-contacts_FRESH", "6m"},
                   {"GATEWAY_CLIENTS",
                    R"([{"name":"crm","key_hash":")" + kHash + R"(","operations":["read"],"rate":2.5,"urgency":1}])"},
                   {"GATEWAY_ADMIN_LISTEN", "[::1]:0"},
                   {"GATEWAY_REDIS_TIMEOUT", ""}},
                  {"--cache.enabled=false", "--cache.coherence", "eventual",
                   "--upstream.url=http://127.0.0.1:9000/base/", "--cache.operations.get-contact.settle", "250ms"}))
            .settings;
    CHECK(s->cache.memory_bytes == 1ull << 30);
    CHECK(s->rate_limit.daily_reserve == doctest::Approx(0.025));
    CHECK(s->rate_limit.requests == 10);
    CHECK(s->credentials.locations.at("ve9EPM428h8vShlRW1KT").value == "pit-one");
    CHECK(s->cache.operations.at("get-contact").fresh == 5min);
    CHECK(s->cache.operations.at("get-contact").settle == 250ms);
    CHECK(s->cache.operations.at("search-contacts").fresh == 6min);
    REQUIRE(s->clients.size() == 1);
    CHECK(s->clients[0].operations == std::vector<std::string>{"read"});
    CHECK(s->clients[0].rate == 2.5);
    CHECK(s->clients[0].urgency == 1);
    CHECK(s->admin.listen == "[::1]:0");
    CHECK(s->redis.timeout == 50ms);
    CHECK_FALSE(s->cache.enabled);
    CHECK_FALSE(s->cache.strict);
    CHECK(s->upstream.url == "http://127.0.0.1:9000/base");
  }

  TEST_CASE("secrets come from files, are hidden, and the last source wins whole") {
    const test_support::TempDir scratch;
    const std::string token = scratch.write("token", "pit-from-file\r\n");
    const auto loaded =
        load(from({{"GATEWAY_CREDENTIALS_TOKEN_FILE", token}, {"GATEWAY_REDIS_URL", "redis://me:hush@cache:6379/1"}}));
    CHECK(loaded.settings->credentials.token.value == "pit-from-file");
    CHECK(loaded.settings->credentials.token.file == token);
    CHECK(shown(loaded, "credentials.token") ==
          "(hidden) from the file " + token + " <- GATEWAY_CREDENTIALS_TOKEN_FILE");
    CHECK(shown(loaded, "redis.url") == "redis://(hidden)@cache:6379/1 <- GATEWAY_REDIS_URL");
    for (const auto& line : loaded.effective) {
      CHECK_FALSE(contains(line.value, "pit-"));
      CHECK_FALSE(contains(line.value, "hush"));
    }

    const std::string file =
        scratch.write("gateway.json", R"({"credentials":{"token_file":")" + token +
                                          R"(","locations":{"one":{"token":"a"},"two":{"token":"b"}}}})");
    Inputs inputs = from_file(file);
    inputs.environment = {{"GATEWAY_CREDENTIALS_TOKEN", "pit-variable"},
                          {"GATEWAY_CREDENTIALS_LOCATIONS_two_TOKEN", "c"}};
    const auto settings = load(inputs).settings;
    CHECK(settings->credentials.token.value == "pit-variable");
    CHECK(settings->credentials.token.file.empty());
    CHECK(settings->credentials.locations.at("one").value == "a");
    CHECK(settings->credentials.locations.at("two").value == "c");
  }

  TEST_CASE("a byte order mark at the beginning of a settings file or a secret is left out") {
    const test_support::TempDir scratch;
    const std::string mark = "\xEF\xBB\xBF";
    const std::string token = scratch.write("token", mark + "pit-from-file\r\n");
    const auto loaded = load(from_file(scratch.write(
        "gateway.json", mark + R"({"credentials":{"token_file":")" + token + R"("},"listen":"[::1]:1"})")));
    CHECK(loaded.settings->credentials.token.value == "pit-from-file");
    CHECK(loaded.settings->listen == "[::1]:1");
  }

  TEST_CASE("the single OAuth form becomes the first grant, and a list gives several") {
    const test_support::TempDir scratch;
    const auto one =
        load(from({{"GATEWAY_CREDENTIALS_OAUTH_CLIENT_ID", "id"}, {"GATEWAY_CREDENTIALS_OAUTH_CLIENT_SECRET", "s"}}))
            .settings;
    REQUIRE(one->credentials.oauth.grants.size() == 1);
    CHECK(one->credentials.oauth.grants[0].client_secret.value == "s");
    const std::string secret = scratch.write("secret", "t");
    const auto two = load(from({{"GATEWAY_CREDENTIALS_OAUTH_GRANTS",
                                 R"([{"client_id":"a"},{"client_id":"b","client_secret_file":")" + secret + R"("}])"}}))
                         .settings;
    REQUIRE(two->credentials.oauth.grants.size() == 2);
    CHECK(two->credentials.oauth.grants[1].client_secret.value == "t");
  }

  TEST_CASE("a wrong variable or flag is refused in one line with its path and what was expected") {
    const struct {
      Inputs inputs;
      std::string said;
    } cases[] = {
        {from({{"GATEWAY_CACHE_MEMORY_BYTES", "64 megs"}}),
         "GATEWAY_CACHE_MEMORY_BYTES: cache.memory_bytes: \"64 megs\" does not fit; expected a size from 0 to 1TiB, "
         "in bytes or with KiB, MiB, "
         "GiB, TiB, like 64MiB"},
        {from({{"GATEWAY_CACHE_MEMORY_BYTES", "99999999999TiB"}}), "expected a size"},
        {from({{"GATEWAY_UPSTREAM_TIMEOUT", "30"}}),
         "expected a duration from 1ms to 10m, with ms, s, m, h or d, like 30s"},
        {from({{"GATEWAY_UPSTREAM_TIMEOUT", "-1s"}}), "expected a duration"},
        {from({{"GATEWAY_UPSTREAM_TIMEOUT", "0s"}}), "expected a duration"},
        {from({{"GATEWAY_RATE_LIMIT_REQUESTS", "many"}}), "expected a whole number from 1 to 1000000"},
        {from({{"GATEWAY_RATE_LIMIT_REQUESTS", "1.5"}}), "expected a whole number"},
        {from({{"GATEWAY_RETRY_BUDGET", "0.2"}}), "expected a percentage from 0% to 100%, like 5%"},
        {from({{"GATEWAY_RETRY_BUDGET", "101%"}}), "expected a percentage"},
        {from({{"GATEWAY_LISTEN", "8080"}}), "GATEWAY_LISTEN: listen: \"8080\" does not fit; expected IP:PORT"},
        {from({{"GATEWAY_LISTEN", "127.0.0.1:70000"}}), "expected IP:PORT"},
        {from({{"GATEWAY_LISTEN", "::1:80"}}), "expected IP:PORT"},
        {from({{"GATEWAY_LISTEN", "unix:"}}), "expected IP:PORT"},
        {from({{"GATEWAY_UPSTREAM_URL", "services.example.com"}}), "expected http:// or https:// with a host"},
        {from({{"GATEWAY_UPSTREAM_URL", "ftp://services.example.com"}}), "expected http:// or https://"},
        {from({{"GATEWAY_UPSTREAM_URL", "http://u:p@example.com"}}), "no user"},
        {from({{"GATEWAY_UPSTREAM_URL", "http://example.com:0/"}}), "expected http://"},
        {from({{"GATEWAY_UPSTREAM_URL", "http://example.com/?a=b"}}), "query"},
        {from({{"GATEWAY_CACHE_COHERENCE", "loose"}}), "expected strict or eventual"},
        {from({{"GATEWAY_CACHE_ENABLED", "yes"}}), "expected true or false"},
        {from({{"GATEWAY_CACH_ENABLED", "true"}}),
         "GATEWAY_CACH_ENABLED: unknown variable (did you mean GATEWAY_CACHE_ENABLED?)"},
        {from({{"GATEWAY_XYZZY", "1"}}), "GATEWAY_XYZZY: unknown variable"},
        {from({{"GATEWAY_ADMIN_PORT", "9901"}}), "GATEWAY_ADMIN_PORT: unknown variable"},
        {from({{"GATEWAY_CREDENTIALS_TOKEN", "a"}, {"GATEWAY_CREDENTIALS_TOKEN_FILE", "b"}}),
         "credentials.token is given twice, here and by GATEWAY_CREDENTIALS_TOKEN"},
        {from({{"GATEWAY_CREDENTIALS_TOKEN_FILE", "/nowhere/token"}}),
         "GATEWAY_CREDENTIALS_TOKEN_FILE: credentials.token: /nowhere/token: cannot be read: No such file or "
         "directory"},
        {from({{"GATEWAY_CREDENTIALS_TOKEN_FILE", "/tmp"}}), "/tmp: cannot be read: Is a directory"},
        {from({{"GATEWAY_CREDENTIALS_TOKEN", "secret\nvalue"}}), "the value does not fit; expected a text of one line"},
        {from({{"GATEWAY_CREDENTIALS_LOCATIONS_a b_TOKEN", "x"}}), "a location id has letters, digits, - and _ only"},
        {from({{"GATEWAY_CACHE_OPERATIONS_GET_CONTCT_FRESH", "5m"}}),
         "no operation is called so (did you mean get-contact?)"},
        {from({{"GATEWAY_CLIENTS", "crm"}}), "GATEWAY_CLIENTS:1:1: not JSON"},
        {from({{"GATEWAY_CLIENTS", "{}"}}), "GATEWAY_CLIENTS: clients: expected a list of objects"},
        {from({{"GATEWAY_CLIENTS", R"([{"nmae":"crm"}])"}}),
         "clients[0].nmae: unknown setting (did you mean clients[].name?)"},
        {from({{"GATEWAY_CLIENTS", R"([{"key_hash":"plain"}])"}}),
         "clients[0].key_hash: \"plain\" does not fit; expected what `contacts-gateway hash-key` prints"},
        {from({{"GATEWAY_CLIENTS", R"([{"operations":["delete"]}])"}}), "expected a list of read or write"},
        {from({{"GATEWAY_CLIENTS", R"([{"rate":0}])"}}), "expected a number above 0"},
        {from({}, {"--credentials.token=pit-1"}),
         "--credentials.token: a secret is not taken as a flag, since everyone on this machine can read it there; use "
         "--credentials.token_file PATH "
         "or the variable GATEWAY_CREDENTIALS_TOKEN"},
        {from({}, {"--cache.memory", "1MiB"}), "--cache.memory: unknown flag"},
        {from({}, {"--listn=127.0.0.1:1"}), "--listn: unknown flag (did you mean listen?)"},
        {from({}, {"--listen"}), "--listen: its value is missing"},
        {from({}, {"--listen", "--cache.enabled=true"}), "--listen: its value is missing"},
        {from({}, {"--cache.enabled=maybe"}), "--cache.enabled: \"maybe\" does not fit; expected true or false"},
        {from({}, {"--cache.enabled=true", "--cache.enabled=false"}), "cache.enabled is given twice"},
        {from({}, {"stray"}), "stray: no command and no setting"},
        {from({}, {"--"}), "--: no command and no setting"},
        {from({{"GATEWAY_CREDENTIALS_OAUTH_CLIENT_ID", "a"}, {"GATEWAY_CREDENTIALS_OAUTH_GRANTS", "[]"}}),
         "given beside credentials.oauth.grants"},
    };
    for (const auto& [inputs, said] : cases) {
      const std::string text = refusal(inputs);
      CAPTURE(text);
      CHECK(contains(text, said));
      CHECK_FALSE(contains(text, "\n"));
      CHECK_FALSE(contains(text, "pit-1"));
      CHECK_FALSE(contains(text, "secret\nvalue"));
    }
  }

  TEST_CASE("a wrong settings file is refused with line and column") {
    const test_support::TempDir scratch;
    std::string deep;
    for (int i = 0; i < 200'000; ++i) deep += "{\"a\":";
    const struct {
      std::string content;
      std::string said;
    } cases[] = {
        {"{\n  \"cache\": {\"memory_bytes\": \"big\"}}", ":2:13: cache.memory_bytes: \"big\" does not fit"},
        {"{\n  \"cache\": {\"memory\": 1}}", ":2:13: cache.memory: unknown setting"},
        {"{\"chace\": {}}", ":1:2: chace: unknown setting (did you mean cache"},
        {"{\"credentials\": {\"locations\": {\"L\": {}}}}",
         ":1:32: credentials.locations.L: has no token; expected token"},
        {"{\"credentials\": {\"locations\": {\"\": {\"token\": \"t\"}}}}", "a location id has letters"},
        {"{\"cache.enabled\": true}", ":1:2: cache.enabled: unknown setting; write it nested"},
        {"{\"cache\": true}", ":1:2: cache: expected an object with its settings"},
        {"{\"cache\": {\"enabled\": \"true\"}}", "\"true\" does not fit; expected true or false"},
        {"{\"rate_limit\": {\"requests\": -1}}", "this number does not fit; expected a whole number"},
        {"{\"rate_limit\": {\"interval\": 10}}", "this number does not fit; expected a duration"},
        {"{\"listen\": null}", "null does not fit; expected IP:PORT"},
        {"{\"listen\": \"127.0.0.1:1\", \"listen\": \"127.0.0.1:2\"}", ":1:27: listen is given twice"},
        {"{\"credentials\": {\"token\": \"a\", \"token_file\": \"b\"}}", "credentials.token is given twice"},
        {"{\"credentials\": {\"token_file\": 5}}", "expected the path of a file"},
        {"{\"clients\": [{\"name\": \"a\"}, 5]}", "clients[1]: expected an object"},
        {"{\"clients\": [\n {\"urgency\": 8}]}",
         ":2:3: clients[0].urgency: \"8\" does not fit; expected a whole number from 0 to 7"},
        {"{\"listen\": }", ":1:12: not JSON: Invalid value"},
        {"[]", ":1:1: expected an object"},
        {"", "not JSON: The document is empty"},
        {std::string("{}\0{}", 5), "not JSON: a zero byte"},
        {"{\"listen\": \"\xff\"}", "not JSON"},
        {deep, "nested deeper than 64 levels"},
    };
    for (const auto& [content, said] : cases) {
      const std::string text = refusal(from_file(scratch.write("gateway.json", content)));
      CAPTURE(text);
      CHECK(contains(text, said));
      CHECK_FALSE(contains(text, "\n"));
    }
    CHECK(contains(refusal(from_file("/nowhere/gateway.json")),
                   "/nowhere/gateway.json: cannot be read: No such file or directory"));
  }

  TEST_CASE("a wrong value in the file is refused even where a later source replaces it") {
    const test_support::TempDir scratch;
    Inputs inputs = from_file(scratch.write("gateway.json", "{\"cache\": {\"enabled\": 5}}"));
    inputs.flags = {"--cache.enabled=true"};
    CHECK(contains(refusal(inputs), ":1:12: cache.enabled does not fit the settings' schema (type)"));
  }

  TEST_CASE("everything wrong is told at once, one line each") {
    const std::string text = refusal(from({{"GATEWAY_LISTEN", "x"}, {"GATEWAY_NOPE", "y"}}, {"--cache.enabled=z"}));
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  }

  TEST_CASE("the variables that Kubernetes makes for a Service called gateway are left alone") {
    const auto refused = refusal(from({{"GATEWAY_SERVICE_HOST", "10.0.0.1"},
                                       {"GATEWAY_SERVICE_PORT", "80"},
                                       {"GATEWAY_SERVICE_PORT_HTTP", "80"},
                                       {"GATEWAY_PORT", "tcp://10.0.0.1:80"},
                                       {"GATEWAY_PORT_80_TCP", "tcp://10.0.0.1:80"},
                                       {"GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1"},
                                       {"GATEWAY_API_PORT_80_TCP_PROTO", "tcp"}}));
    CHECK(refused == "accepted");
  }
}
