// The contract's sentence against the real thing: three gateways on one Redis, writers and readers on a few contacts
// through random replicas, faults meanwhile. Each contact has one writer, which writes growing numbers; a read must not
// return less than the greatest number whose write was answered before the read began. GATEWAY_TEST_FULL makes it a
// million operations.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

constexpr int kContacts = 3;
constexpr int kReplicas = 3;
constexpr int kReaders = 6;

std::string target_of(int contact) { return "/contacts/contact000000000000" + std::to_string(contact + 1); }

std::int64_t version_in(const std::string& body) {
  const auto at = body.find("\"firstName\":\"v");
  return at == std::string::npos ? 0 : std::atoll(body.c_str() + at + 14);
}

class Cluster {
 public:
  Cluster() {
    for (int r = 0; r < kReplicas; ++r) start(r);
  }
  void start(int r) {
    auto replica =
        std::make_unique<GatewayProcess>(GatewayOptions{.upstream = simulator.url(),
                                                        .settings = {{"credentials.token", "simulator-token"},
                                                                     {"redis.url", redis.url()},
                                                                     {"rate_limit.requests", "1000"},
                                                                     {"rate_limit.interval", "100ms"},
                                                                     {"rate_limit.daily", "100000000"},
                                                                     {"cache.operations.get-contact.fresh", "10m"},
                                                                     {"server.threads", "1"},
                                                                     {"log.requests", "off"}}});
    std::lock_guard lock(mutex_);
    addresses_[static_cast<std::size_t>(r)] = replica->address();
    replicas_[static_cast<std::size_t>(r)] = std::move(replica);
  }
  void kill(int r) { replicas_[static_cast<std::size_t>(r)]->process().signal(SIGKILL); }
  void stop(int r) {
    signal(r, SIGTERM);
    CHECK(replicas_[static_cast<std::size_t>(r)]->process().wait_for_exit(milliseconds(10'000)) == 0);
  }
  void signal(int r, int number) { replicas_[static_cast<std::size_t>(r)]->process().signal(number); }
  std::string address(int r) {
    std::lock_guard lock(mutex_);
    return addresses_[static_cast<std::size_t>(r)];
  }
  double metric(int r, const std::string& line) {
    const auto text = HttpClient(replicas_[static_cast<std::size_t>(r)]->admin_address()).get("/metrics").body;
    double sum = 0;
    for (auto at = text.find("\n" + line); at != std::string::npos; at = text.find("\n" + line, at + 1))
      sum += std::atof(text.c_str() + text.find(' ', at + 1));
    return sum;
  }

  SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0", "--latency", "0ms-2ms"}}};
  RedisServer redis;

 private:
  std::mutex mutex_;
  std::array<std::string, kReplicas> addresses_;
  std::array<std::unique_ptr<GatewayProcess>, kReplicas> replicas_;
};

struct Tally {
  std::atomic<int> reads{0}, failed_reads{0}, writes{0}, unknown_writes{0}, violations{0}, hits{0};
  std::mutex mutex;
  std::string first_violation, failure;
};

// Keep-alive connections of one thread to whatever the replicas' addresses are now.
class Door {
 public:
  explicit Door(Cluster& cluster) : cluster_(cluster) {}
  HttpResponse send(int replica, const HttpRequest& request) {
    auto& client = clients_[static_cast<std::size_t>(replica)];
    const auto address = cluster_.address(replica);
    if (!client || client->address() != address) client = std::make_unique<HttpClient>(address, milliseconds(15'000));
    try {
      return client->send(request);
    } catch (...) {
      client.reset();
      throw;
    }
  }

 private:
  Cluster& cluster_;
  std::array<std::unique_ptr<HttpClient>, kReplicas> clients_;
};

// A scenario is over after its operations or this time, whichever comes first: a machine under load does fewer.
milliseconds time_limit() { return milliseconds(std::getenv("GATEWAY_TEST_FULL") != nullptr ? 1'800'000 : 12'000); }

class History {
 public:
  History(Cluster& cluster, int operations) : cluster_(cluster), left_(operations) {}

  // Runs until the operations are done; `fault` is called again and again meanwhile, on this thread.
  void run(const std::function<void()>& fault) {
    HttpClient(cluster_.address(0),
               milliseconds(15'000))  // a young epoch holds the first write; the rest need not wait for it
        .send({.method = "PUT",
               .target = target_of(0),
               .fields = {{"Content-Type", "application/json"}},
               .body = "{\"firstName\":\"v0\"}"});
    std::vector<std::thread> threads;
    const Deadline limit(time_limit());
    for (int c = 0; c < kContacts; ++c) threads.emplace_back([this, c] { write(c); });
    for (int r = 0; r < kReaders; ++r) threads.emplace_back([this, r] { read(r); });
    while (left_ > 0 && !limit.passed()) fault();
    left_ = 0;
    for (auto& thread : threads) thread.join();
  }
  bool going() const { return left_ > 0; }
  Tally tally;

 private:
  void write(int contact) {
    std::mt19937 random(static_cast<unsigned>(contact));
    Door door(cluster_);
    HttpClient upstream(cluster_.simulator.address());
    const HttpFields own{{"Authorization", "Bearer simulator-token"}, {"Version", "2021-07-28"}};
    for (std::int64_t version = 1; left_ > 0; ++version) {
      HttpRequest put{.method = "PUT", .target = target_of(contact), .fields = {{"Content-Type", "application/json"}}};
      put.body = "{\"firstName\":\"v" + std::to_string(version) + "\"}";
      int status = 0;
      try {
        status = door.send(static_cast<int>(random() % kReplicas), put).status;
      } catch (const HttpError&) {
      }
      --left_;
      if (status == 200) {
        ++tally.writes;
        answered_[static_cast<std::size_t>(contact)] = version;
        const int seen =
            tally.reads;  // some reads between two writes, so that there is something in the caches to be stale
        eventually(
            milliseconds(200), [&] { return tally.reads >= seen + 20 || left_ <= 0; }, milliseconds(1));
        continue;
      }
      // Nobody knows whether it was applied. The next write must not meet it under way: upstream answers within 2 ms,
      // so what it does not show soon was never sent.
      ++tally.unknown_writes;
      eventually(milliseconds(50), [&] { return version_in(upstream.get(target_of(contact), own).body) >= version; });
    }
  }

  void read(int reader) {
    std::mt19937 random(static_cast<unsigned>(reader + 100));
    Door door(cluster_);
    while (left_ > 0) {
      const int contact = static_cast<int>(random() % kContacts);
      const int replica = static_cast<int>(random() % kReplicas);
      const std::int64_t floor = answered_[static_cast<std::size_t>(contact)];
      --left_;
      try {
        const auto response = door.send(replica, {.target = target_of(contact)});
        if (response.status != 200) {
          ++tally.failed_reads;
          std::lock_guard lock(tally.mutex);
          tally.failure = std::to_string(response.status) + " " + response.body;
          continue;
        }
        ++tally.reads;
        if (response.field("Cache-Status").find("; hit") != std::string::npos) ++tally.hits;
        if (const auto version = version_in(response.body); version < floor) {
          ++tally.violations;
          std::lock_guard lock(tally.mutex);
          if (tally.first_violation.empty())
            tally.first_violation = "replica " + std::to_string(replica) + " answered v" + std::to_string(version) +
                                    " after v" + std::to_string(floor) + " was answered; " +
                                    response.field("Cache-Status");
        }
      } catch (const HttpError&) {
        ++tally.failed_reads;
      }
    }
  }

  Cluster& cluster_;
  std::atomic<int> left_;
  std::array<std::atomic<std::int64_t>, kContacts> answered_{};
};

int operations() { return std::getenv("GATEWAY_TEST_FULL") != nullptr ? 145'000 : 2'900; }

// Lets the traffic go on for so long, or until it is over.
void let_run(const History& history, int milliseconds_) {
  eventually(milliseconds(milliseconds_), [&] { return !history.going(); });
}

void run_scenario(const char* name, bool reads_must_succeed,
                  const std::function<void(Cluster&, History&, std::mt19937&)>& fault) {
  Cluster cluster;
  History history(cluster, operations());
  std::mt19937 random(7);
  history.run([&] { fault(cluster, history, random); });
  auto& tally = history.tally;
  MESSAGE(std::string(name), ": ", tally.reads.load(), " reads (", tally.hits.load(), " hits, ",
          tally.failed_reads.load(), " failed), ", tally.writes.load(), " writes (", tally.unknown_writes.load(),
          " unknown), ", tally.violations.load(), " violations");
  CHECK_MESSAGE(tally.violations == 0, tally.first_violation);
  CHECK(tally.reads > 0);
  CHECK(tally.writes > 0);
  if (reads_must_succeed) CHECK_MESSAGE(tally.failed_reads == 0, tally.failure);
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("nobody reads older data than an acknowledged write: calm") {
    run_scenario("calm", true, [](Cluster&, History& history, std::mt19937&) { let_run(history, 100); });
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis killed and restarted empty") {
    run_scenario("Redis killed", true, [](Cluster& cluster, History& history, std::mt19937& random) {
      let_run(history, 400 + static_cast<int>(random() % 400));
      cluster.redis.kill();
      let_run(history, static_cast<int>(random() % 300));
      cluster.redis.start();
    });
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis paused") {
    run_scenario("Redis paused", true, [](Cluster& cluster, History& history, std::mt19937& random) {
      let_run(history, 300);
      cluster.redis.pause();
      let_run(history, static_cast<int>(random() % 4500));
      cluster.redis.resume();
    });
  }

  // The writer itself is stopped once it has answered, so that nothing it does later can help.
  TEST_CASE("a write answered while Redis stood still is what every replica reads when Redis goes on") {
    Cluster cluster;
    const auto put = [&](int contact, const std::string& version) {
      return HttpClient(cluster.address(0), milliseconds(15'000))
          .send({.method = "PUT",
                 .target = target_of(contact),
                 .fields = {{"Content-Type", "application/json"}},
                 .body = "{\"firstName\":\"" + version + "\"}"})
          .status;
    };
    REQUIRE(put(0, "v1") == 200);
    for (int r = 1; r < kReplicas; ++r)
      for (int i = 0; i < 2; ++i)
        CHECK(version_in(HttpClient(cluster.address(r)).get(target_of(0)).body) == 1);  // in Redis and in memory
    cluster.redis.pause();
    REQUIRE(put(1, "v2") == 200);  // its marks may wait in Redis' socket; after it the connection is known to be gone
    REQUIRE(put(0, "v2") == 200);
    cluster.signal(0, SIGSTOP);
    cluster.redis.resume();
    int stale = 0, hits = 0;
    for (const Deadline limit(milliseconds(10'000)); hits < 20 && !limit.passed();)
      for (int r = 1; r < kReplicas; ++r) {
        const auto response = HttpClient(cluster.address(r)).get(target_of(0));
        if (version_in(response.body) != 2) ++stale;
        if (response.field("Cache-Status").find("; hit") != std::string::npos) ++hits;
      }
    cluster.signal(0, SIGCONT);
    CHECK(stale == 0);
    CHECK(hits >= 20);
  }

  TEST_CASE("what is in Redis stays good over a restart of all gateways, since each gives its lease back") {
    Cluster cluster;
    CHECK(HttpClient(cluster.address(0)).get(target_of(0)).status == 200);
    for (int r = 0; r < kReplicas; ++r) cluster.stop(r);
    // Longer than any lease: only then does it show whether they were given back.
    eventually(milliseconds(3'500), [] { return false; });
    cluster.start(1);
    // Never asks the upstream, so that only what is in Redis can answer, once the connection to it is up.
    CHECK(eventually(milliseconds(5'000), [&] {
      return HttpClient(cluster.address(1))
                 .send({.target = target_of(0), .fields = {{"Cache-Control", "only-if-cached"}}})
                 .status == 200;
    }));
  }

  TEST_CASE("nobody reads older data than an acknowledged write: keys evicted at random, all flushed") {
    run_scenario("evictions", true, [](Cluster& cluster, History& history, std::mt19937& random) {
      static const std::vector<std::string> kKeys{"cg:epoch", "cg:log", "cg:s:contact:contact0000000000001",
                                                  "cg:s:contact:contact0000000000002"};
      if (random() % 8 == 0)
        cluster.redis.command({"FLUSHALL"});
      else
        cluster.redis.command({"DEL", kKeys[random() % kKeys.size()]});
      let_run(history, 150 + static_cast<int>(random() % 300));
    });
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis out of memory") {
    run_scenario("out of memory", true, [](Cluster& cluster, History& history, std::mt19937& random) {
      cluster.redis.command({"CONFIG", "SET", "maxmemory", "1"});
      let_run(history, static_cast<int>(random() % 800));
      cluster.redis.command({"CONFIG", "SET", "maxmemory", "0"});
      let_run(history, 200);
    });
  }

  TEST_CASE("nobody reads older data than an acknowledged write: a replica killed and started again") {
    run_scenario("replica killed", false, [](Cluster& cluster, History& history, std::mt19937& random) {
      let_run(history, 300 + static_cast<int>(random() % 500));
      const int victim = static_cast<int>(random() % kReplicas);
      cluster.kill(victim);
      cluster.start(victim);
    });
  }

  TEST_CASE("nobody reads older data than an acknowledged write: a replica stopped and continued") {
    run_scenario("replica stopped", false, [](Cluster& cluster, History& history, std::mt19937& random) {
      let_run(history, 200);
      const int victim = static_cast<int>(random() % kReplicas);
      cluster.signal(victim, SIGSTOP);
      let_run(history, static_cast<int>(random() % 4500));
      cluster.signal(victim, SIGCONT);
    });
  }
}
