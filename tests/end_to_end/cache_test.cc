// What the cache does with an answer, seen from outside: freshness and staleness, conditional requests both ways, a
// client's directives, variants, missing records, searches, purge. Coherence is tests/end_to_end/history's.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

const std::string kContact = "/contacts/contact0000000000001";
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Pair {
  explicit Pair(std::vector<std::string> flags = {}, Settings settings = {})
      : simulator({.arguments = with({"--limit", "0", "--daily", "0"}, std::move(flags))}),
        gateway({.upstream = simulator.url(),
                 .settings = with({{"credentials.token", "simulator-token"}, {"log.requests", "errors"}},
                                  std::move(settings))}) {}
  template <typename List>
  static List with(List own, List more) {
    own.insert(own.end(), more.begin(), more.end());
    return own;
  }
  HttpResponse get(HttpFields fields = {}, const std::string& target = kContact) {
    return client.get(target, std::move(fields));
  }
  HttpResponse rename(const std::string& name) {
    return client.send({.method = "PUT",
                        .target = kContact,
                        .fields = {{"Content-Type", "application/json"}},
                        .body = "{\"firstName\":" + json_string(name) + "}"});
  }
  HttpResponse search(const std::string& body) {
    return client.send({.method = "POST",
                        .target = "/contacts/search",
                        .fields = {{"Content-Type", "application/json"}},
                        .body = body});
  }
  void fail_upstream() {
    HttpClient(simulator.address())
        .send({.method = "POST",
               .target = "/_simulator/faults",
               .body = R"({"match":{"method":"GET","path_prefix":"/contacts"},"fault":"status=503"})"});
  }
  void edit_behind() {  // as in the vendor's own screens
    HttpClient(simulator.address())
        .send({.method = "PUT",
               .target = kContact,
               .fields = {{"Authorization", "Bearer simulator-token"},
                          {"Version", "2021-07-28"},
                          {"Content-Type", "application/json"}},
               .body = R"({"firstName":"Edited"})"});
  }
  std::int64_t upstream_gets(int status = 0) {
    const Json books(HttpClient(simulator.address()).get("/_simulator/books").body);
    if (status != 0 && !books.has("statuses." + std::to_string(status))) return 0;
    return books.integer(status == 0 ? "total" : "statuses." + std::to_string(status));
  }

  SimulatorProcess simulator;
  GatewayProcess gateway;
  HttpClient client{gateway.address()};
};

bool says(const HttpResponse& response, const std::string& part) {
  return response.field("Cache-Status").find(part) != std::string::npos;
}
bool is_hit(const HttpResponse& response) { return says(response, "; hit"); }
std::string name_in(const HttpResponse& response) { return Json(response.body).text("contact.firstName"); }

const Settings kShort{{"cache.operations.get-contact.fresh", "100ms"},
                      {"cache.operations.get-contact.stale_while_revalidate", "0s"},
                      {"cache.operations.get-contact.stale_if_error", "10m"}};

}  // namespace

TEST_SUITE("cache") {
  TEST_CASE(
      "a client that holds the answer gets 304, by upstream's ETag as by one made from the body, until it changes") {
    for (const std::string etag : {"off", "strong"}) {
      CAPTURE(etag);
      Pair pair({"--etag", etag});
      const auto whole = pair.get();
      const auto tag = whole.field("ETag");
      REQUIRE_FALSE(tag.empty());
      CHECK_FALSE(tag.starts_with("W/"));
      const auto held = pair.get({{"If-None-Match", tag}});
      CHECK(held.status == 304);
      CHECK(held.body.empty());
      CHECK(held.field("ETag") == tag);
      CHECK(is_hit(held));
      CHECK(pair.get({{"If-None-Match", "\"other\""}}).status == 200);
      CHECK(pair.rename("Grace").status == 200);
      const auto changed = pair.get({{"If-None-Match", tag}});  // not in the cache: asked upstream for the client
      CHECK(changed.status == 200);
      CHECK(name_in(changed) == "Grace");
      CHECK(changed.field("ETag") != tag);
      CHECK(pair.get({{"If-None-Match", changed.field("ETag")}, {"Cache-Control", "no-cache"}}).status == 304);
    }
  }

  TEST_CASE("upstream is asked by its own validator whether a stale entry still holds") {
    Pair pair({"--etag", "strong"}, kShort);
    const auto first = pair.get();
    REQUIRE(first.status == 200);
    HttpResponse again;
    REQUIRE(eventually(
        milliseconds(5'000), [&] { return !is_hit(again = pair.get()); }, milliseconds(20)));
    CHECK(again.status == 200);
    CHECK(again.body == first.body);
    CHECK(says(again, "fwd=stale"));
    CHECK(says(again, "fwd-status=304"));
    CHECK(pair.upstream_gets(304) == 1);
    pair.edit_behind();
    REQUIRE(eventually(
        milliseconds(5'000), [&] { return !is_hit(again = pair.get()); }, milliseconds(20)));
    CHECK(name_in(again) == "Edited");
  }

  TEST_CASE("what a client says of freshness is kept to") {
    Pair pair;
    const auto asked = [&](const std::string& directives) { return pair.get({{"Cache-Control", directives}}); };
    const auto nothing = asked("only-if-cached");
    CHECK(nothing.status == 504);
    CHECK(nothing.field("Cache-Status") == "contacts-gateway; detail=only-if-cached");  // it went nowhere
    CHECK(asked("no-store").status == 200);
    CHECK(asked("only-if-cached").status == 504);  // nothing was kept of it
    CHECK_FALSE(is_hit(pair.get()));
    CHECK(is_hit(asked("only-if-cached")));
    CHECK(is_hit(asked("max-age=20")));
    CHECK(is_hit(asked("min-fresh=10")));
    CHECK_FALSE(is_hit(asked("min-fresh=100")));
    for (const char* directive : {"max-age=0", "no-cache", "min-fresh=100000"}) {
      const auto answer =
          asked(directive);  // of a fresh entry, which the request alone rules out (RFC 9211 section 2.2)
      CHECK_FALSE(is_hit(answer));
      CHECK_MESSAGE(says(answer, "fwd=request"), answer.field("Cache-Status"));
    }
    CHECK_FALSE(is_hit(asked("no-store")));
    CHECK(is_hit(pair.get()));
  }

  TEST_CASE("max-stale gets what has gone stale, and nobody else does") {
    Pair pair({}, kShort);
    pair.get();
    HttpResponse stale;
    CHECK(eventually(milliseconds(5'000), [&] {
      stale = pair.get({{"Cache-Control", "max-stale=60"}});
      return says(stale, "stale");
    }));
    CHECK(is_hit(stale));
    CHECK_FALSE(is_hit(pair.get()));
  }

  TEST_CASE("while it may be revalidated a stale answer is served at once and one refresh runs behind it") {
    Pair pair({"--latency", "100ms"}, {{"cache.operations.get-contact.fresh", "500ms"},
                                       {"cache.operations.get-contact.stale_while_revalidate", "10m"}});
    pair.get();
    pair.edit_behind();
    const auto before = pair.upstream_gets();
    HttpResponse stale;
    REQUIRE(eventually(milliseconds(5'000), [&] { return says(stale = pair.get(), "stale-while-revalidate"); }));
    CHECK(name_in(stale) == "Ada");
    for (int i = 0; i < 5; ++i) pair.get();  // the refresh is under way: no other begins
    CHECK(eventually(milliseconds(5'000), [&] { return name_in(pair.get()) == "Edited"; }));
    CHECK(pair.upstream_gets() == before + 1);
  }

  TEST_CASE("a gateway that ends while upstream owes it an answer to a refresh ends well") {
    Pair pair({}, {{"cache.operations.get-contact.fresh", "300ms"},
                   {"cache.operations.get-contact.stale_while_revalidate", "10m"}});
    pair.get();
    HttpClient control(pair.simulator.address());
    control.send({.method = "POST",
                  .target = "/_simulator/faults",
                  .body = R"({"match":{"method":"GET","path_prefix":"/contacts"},"fault":"hang"})"});
    REQUIRE(eventually(milliseconds(5'000), [&] { return says(pair.get(), "stale-while-revalidate"); }));
    REQUIRE(eventually(milliseconds(5'000),
                       [&] { return Json(control.get("/_simulator/books").body).integer("faults") == 1; }));
    pair.client.close();
    pair.gateway.process().signal(SIGINT);
    CHECK(pair.gateway.process().wait_for_exit(milliseconds(20'000)) == 0);
  }

  TEST_CASE("while upstream fails a stale answer stands in, and never one that a write has made invalid") {
    Pair pair({}, kShort);
    pair.get();
    pair.fail_upstream();
    HttpResponse stale;
    REQUIRE(eventually(milliseconds(20'000), [&] { return says(stale = pair.get(), "stale-if-error"); }));
    CHECK(stale.status == 200);
    CHECK(name_in(stale) == "Ada");
    CHECK(pair.rename("Grace").status == 200);
    const auto failed = pair.get();
    CHECK(failed.status >= 500);
    CHECK(failed.body.find("Ada") == std::string::npos);
    CHECK(pair.get({{"Cache-Control", "max-stale=600, stale-if-error=600"}}).status >= 500);
  }

  TEST_CASE("a record that is not there is remembered for a short time, and a write of it ends that") {
    Pair pair({"--not-found", "404"});
    CHECK(pair.client.send({.method = "DELETE", .target = kContact}).status == 200);
    const auto missing = pair.get(), again = pair.get();
    CHECK(missing.status == 404);
    CHECK_FALSE(is_hit(missing));
    CHECK(again.status == 404);
    CHECK(is_hit(again));
    const auto ttl = again.field("Cache-Status").find("ttl=");
    REQUIRE(ttl != std::string::npos);
    CHECK(std::atoi(again.field("Cache-Status").c_str() + ttl + 4) <= 5);
    pair.rename("Nobody");
    CHECK_FALSE(is_hit(pair.get()));
  }

  TEST_CASE("answers that vary on a field are kept for each of its values") {
    Pair pair({"--vary"});
    const auto in = [&](const std::string& language) { return pair.get({{"Accept-Language", language}}); };
    CHECK(in("de").field("Content-Language") == "de");
    CHECK(in("fr").field("Content-Language") == "fr");
    for (const std::string language : {"de", "fr"}) {
      const auto hit = in(language);
      CHECK(is_hit(hit));
      CHECK(hit.field("Content-Language") == language);
    }
    CHECK_FALSE(is_hit(pair.get()));
    CHECK(pair.rename("Grace").status == 200);
    for (const std::string language : {"de", "fr"}) CHECK(name_in(in(language)) == "Grace");
  }

  TEST_CASE("nothing is shared between versions of the API or between locations") {
    Pair pair;
    CHECK_FALSE(is_hit(pair.get({{"Version", "2021-07-28"}})));
    CHECK_FALSE(is_hit(pair.get({{"Version", "v3"}})));
    CHECK(is_hit(pair.get({{"Version", "2021-07-28"}})));
    CHECK_FALSE(is_hit(pair.get({{"X-Location-Id", "loc_other"}})));
  }

  TEST_CASE("searches share an answer when their bodies mean the same, with numbers as they were written") {
    Pair pair;
    CHECK_FALSE(is_hit(pair.search(R"({"locationId":"loc_demo","pageLimit":20,"page":1})")));
    CHECK(is_hit(pair.search(R"({ "page": 1, "pageLimit": 20, "locationId": "loc\u005fdemo" })")));
    CHECK_FALSE(is_hit(pair.search(R"({"locationId":"loc_demo","pageLimit":2e1,"page":1})")));
    CHECK_FALSE(is_hit(pair.search(R"({"locationId":"loc_demo","pageLimit":20,"page":2})")));
    CHECK(pair.rename("Grace").status == 200);
    CHECK(pair.search(R"({"locationId":"loc_demo","pageLimit":20,"page":1})").body.find("Grace") != std::string::npos);
  }

  TEST_CASE("a purge by key, by location and of everything reaches every replica, by POST as by the command") {
    RedisServer redis;
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0"}}};
    const GatewayOptions options{
        .upstream = simulator.url(),
        .settings = {{"credentials.token", "simulator-token"}, {"redis.url", redis.url()}, {"log.requests", "errors"}}};
    GatewayProcess one(options), other(options);
    HttpClient first(one.address(), milliseconds(20'000)), second(other.address(), milliseconds(20'000));
    const std::string list = "/contacts/?locationId=loc_demo";
    const auto warm = [&](const std::string& target) {
      return eventually(milliseconds(20'000), [&] { return is_hit(first.get(target)) && is_hit(second.get(target)); });
    };
    const auto post = [&](const std::string& body) {
      return HttpClient(one.admin_address(), milliseconds(20'000))
          .send({.method = "POST",
                 .target = "/cache/purge",
                 .fields = {{"Content-Type", "application/json"}},
                 .body = body})
          .body;
    };
    const auto command = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {binary_dir() + "/contacts-gateway", "purge"});
      arguments.insert(arguments.end(), {"--admin.listen", other.admin_address()});
      Process purge({.arguments = arguments, .environment = {}, .unset_prefix = "GATEWAY_"});
      const auto code = purge.wait_for_exit(milliseconds(20'000));
      CHECK_MESSAGE(code == 0, purge.output(Stream::Error));
      return purge.output(Stream::Out);
    };
    REQUIRE(warm(kContact));
    REQUIRE(warm(list));
    CHECK(post(R"({"keys":["contact:contact0000000000001"]})") == "{\"purged\":1}\n");
    CHECK_FALSE(is_hit(second.get(kContact)));
    CHECK(is_hit(second.get(list)));
    REQUIRE(warm(kContact));
    CHECK(command({"--key", "contact:contact0000000000001", "--key", "contact:nobody"}) == "{\"purged\":1}\n");
    CHECK(is_hit(first.get(list)));
    REQUIRE(warm(kContact));
    CHECK(post(R"({"location":"loc_demo"})") == "{\"purged\":2}\n");
    CHECK_FALSE(is_hit(second.get(kContact)));
    CHECK_FALSE(is_hit(first.get(list)));
    REQUIRE(warm(kContact));
    CHECK(command({"--all"}) == "{\"purged\":1}\n");
    CHECK_FALSE(is_hit(first.get(kContact)));
  }

  TEST_CASE("an invalidation is counted once, by its cause, however many surrogate keys it names") {
    RedisServer redis;
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0"}}};
    const GatewayOptions options{
        .upstream = simulator.url(),
        .settings = {{"credentials.token", "simulator-token"}, {"redis.url", redis.url()}, {"log.requests", "errors"}}};
    GatewayProcess writer(options), other(options);
    const auto count = [](const GatewayProcess& gateway, const std::string& cause) {
      const auto text = HttpClient(gateway.admin_address()).get("/metrics").body;
      const std::string line = "\ngateway_cache_invalidations_total{cause=\"" + cause + "\"} ";
      const auto at = text.find(line);
      return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + line.size());
    };
    const auto write = [&] {  // names the contact and its location's lists
      return HttpClient(writer.address(), milliseconds(20'000))
          .send({.method = "PUT",
                 .target = kContact,
                 .fields = {{"Content-Type", "application/json"}},
                 .body = R"({"firstName":"Grace"})"})
          .status;
    };
    // It follows the log from its first report on, which a loaded machine may hold up.
    REQUIRE(eventually(milliseconds(10'000), [&] { return count(other, "epoch") > 0; }));
    CHECK(write() == 200);
    CHECK(write() == 200);
    CHECK(count(writer, "write") == 2);
    CHECK(eventually(milliseconds(10'000), [&] { return count(other, "log") == 2; }));
    CHECK(count(other, "write") == 0);
  }

  TEST_CASE("with cache.coherence = eventual nobody waits for a replica that stands still") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0"}}};
    for (const std::string coherence : {"strict", "eventual"}) {
      CAPTURE(coherence);
      RedisServer redis;
      const GatewayOptions options{.upstream = simulator.url(),
                                   .settings = {{"credentials.token", "simulator-token"},
                                                {"redis.url", redis.url()},
                                                {"cache.coherence", coherence},
                                                {"log.requests", "errors"}}};
      GatewayProcess writer(options), still(options);
      REQUIRE(eventually(milliseconds(10'000), [&] {
        const auto leases = redis.command({"HKEYS", "cg:epoch"});
        return leases.find("\nr:") != leases.rfind("\nr:");
      }));
      redis.command({"HSET", "cg:epoch", "since", "1"});  // an old epoch, which holds nobody
      still.process().signal(SIGSTOP);
      const auto began = std::chrono::steady_clock::now();
      CHECK(HttpClient(writer.address(), milliseconds(20'000))
                .send({.method = "PUT",
                       .target = kContact,
                       .fields = {{"Content-Type", "application/json"}},
                       .body = R"({"firstName":"Grace"})"})
                .status == 200);
      const auto took = std::chrono::steady_clock::now() - began;
      still.process().signal(SIGCONT);
      if (coherence == "strict") CHECK(took > milliseconds(2'900));  // a whole lease
      if (coherence == "eventual") CHECK(took < milliseconds(2'500));
    }
  }

  TEST_CASE("the Redis tier of a database with user and password keeps large answers compressed, byte for byte") {
    RedisServer redis(
        {.config = "user default off\nuser gateway on >pass:word ~* &* +@all\n", .auth = {"gateway", "pass:word"}});
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0", "--contacts", "100"}}};
    const GatewayOptions options{.upstream = simulator.url(),
                                 .settings = {{"credentials.token", "simulator-token"},
                                              {"redis.url", redis.url("gateway:pass%3Aword@", 3)},
                                              {"log.requests", "errors"}}};
    const std::string list = "/contacts/?locationId=loc_demo&limit=100";
    GatewayProcess one(options), other(options);
    std::string body;
    REQUIRE(eventually(milliseconds(10'000), [&] {
      body = HttpClient(one.address()).get(list).body;
      const auto second = HttpClient(other.address()).get(list);
      CHECK(second.body == body);
      return is_hit(second);
    }));
    const auto largest = redis.command({"EVAL",
                                        "redis.call('SELECT', 3) local most = 0 "
                                        "for _, key in ipairs(redis.call('KEYS', 'cg:e:*')) do "
                                        "most = math.max(most, redis.call('HSTRLEN', key, 'd')) end return most",
                                        "0"});
    CHECK(std::atoi(largest.c_str() + 1) > 0);
    CHECK(std::atoi(largest.c_str() + 1) < static_cast<int>(body.size()) / 3);
    CHECK(body.size() > 20'000);
    const auto keyspace = redis.command({"INFO", "keyspace"});
    CHECK(keyspace.find("db3:") != std::string::npos);
    CHECK(keyspace.find("db0:") == std::string::npos);
    REQUIRE(eventually(milliseconds(5'000), [&] {
      return HttpClient(other.admin_address()).get("/metrics").body.find("tier=\"redis\"") != std::string::npos;
    }));
  }
}
