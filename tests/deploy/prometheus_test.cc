// A real Prometheus watches gateways to which everything happens that the dashboards and alerts are about: each
// expression must be answered with series, and each metric must move when its cause happens.
#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "tests/deploy/dashboards.h"
#include "tests/deploy/prometheus_server.h"
#include "tests/deploy/traffic.h"
#include "tests/support/eventually.h"
#include "tests/support/paths.h"

using namespace deploy_tests;
using test_support::eventually;
using test_support::milliseconds;

namespace {

constexpr milliseconds kLimit{120'000};

struct Watched {
  Traffic traffic;
  PrometheusServer prometheus{{.rule_files = {test_support::source_dir() + "/deploy/prometheus/rules/recording.yml",
                                              test_support::source_dir() + "/deploy/prometheus/rules/alerts.yml"}}};

  std::set<std::string> moved;  // names of metrics

  // `cause` makes the value of `selector` (a metric with its labels, added up) another one.
  void moves(const std::string& selector, const std::function<void()>& cause) {
    CAPTURE(selector);
    const auto sum = "sum(" + selector + ")";
    const double before = prometheus.value(sum);
    bool moved_on = false;
    // More than once: on a busy machine a replica's lease may lapse, and memory then takes nothing in for a moment.
    for (int times = 0; !moved_on && times < 20; ++times) {
      cause();
      moved_on = eventually(
          milliseconds(3'000), [&] { return prometheus.value(sum) != before; }, milliseconds(50));
    }
    CHECK(moved_on);
    moved.insert(selector.substr(0, selector.find('{')));
  }
  // ... whether it goes back meanwhile or not.
  void rises(const std::string& selector, const std::function<void()>& cause) {
    CAPTURE(selector);
    cause();
    CHECK(eventually(
        kLimit, [&] { return prometheus.value("max(max_over_time(" + selector + "[5m]))") > 0; }, milliseconds(50)));
    moved.insert(selector.substr(0, selector.find('{')));
  }
  // Alerts whose expression holds, right now.
  std::vector<std::string> alerting() {
    std::vector<std::string> names;
    for (const Rule& rule : prometheus.rules())
      if (rule.alert && prometheus.series(rule.expression) > 0) names.push_back(rule.name);
    return names;
  }
};

void everyday_traffic(Watched& world) {
  Traffic& traffic = world.traffic;
  int next = 1;
  const auto miss = [&] { CHECK(traffic.read(next++) == 200); };
  const auto hit = [&] { CHECK(traffic.read(1) == 200); };
  world.moves("gateway_requests_total", miss);
  world.moves("gateway_request_duration_seconds_count", miss);
  world.moves("gateway_cache_requests_total{result=\"miss\"}", miss);
  world.moves("gateway_cache_requests_total{result=\"hit\",tier=\"memory\"}", hit);
  world.moves("gateway_upstream_requests_saved_total", hit);
  world.moves("gateway_cache_bytes", miss);
  world.moves("gateway_cache_entries", miss);
  world.moves("gateway_upstream_requests_total", miss);
  world.moves("gateway_upstream_duration_seconds_count", miss);
  world.moves("gateway_redis_duration_seconds_count", miss);
  world.moves("gateway_rate_limit_wait_seconds_count", miss);
  world.moves("gateway_rate_limit_remaining{window=\"day\"}", miss);
  world.moves("gateway_rate_limit_remaining{window=\"interval\"}", miss);
  world.moves("gateway_flow_runs_total{result=\"done\"}", [&] { traffic.lead("good"); });
  for (int i = 0; i < 3; ++i) world.moves("gateway_idempotency_keys_total", [&] { traffic.post_with_key(); });
  world.moves("gateway_cache_evictions_total", [&] { traffic.read_until_evicted(); });
  world.moves("gateway_cache_invalidations_total{cause=\"write\"}", [&] { CHECK(traffic.write(1) == 200); });
  world.moves("gateway_cache_invalidations_total{cause=\"purge\"}", [&] { traffic.purge(); });
  world.moves("gateway_webhooks_total", [&] { traffic.webhook(); });
  world.moves("gateway_connections", [&] { traffic.connect_many(3); });
  world.moves("gateway_tls_handshakes_total", [&] { traffic.read_tight(1); });
  world.moves("process_cpu_seconds_total", hit);
}

void trouble(Watched& world) {
  Traffic& traffic = world.traffic;
  auto targets = traffic.admin_addresses();
  traffic.start_oauth();
  targets.push_back(traffic.oauth_admin_address());
  world.prometheus.scrape(targets);
  world.rises("gateway_token_expiry_timestamp_seconds", [] {});
  for (int i = 0; i < 2; ++i)  // rate() does not see the count that makes a series
    world.moves("gateway_token_refreshes_total", [&] { traffic.renew_token(); });
  for (int i = 0; i < 2; ++i) world.moves("gateway_flow_runs_total{result=\"dead\"}", [&] { traffic.lead("broken"); });
  for (int i = 0; i < 2; ++i) world.moves("gateway_rate_limit_rejections_total", [&] { traffic.refuse(); });
  world.rises("gateway_rate_limit_queue_depth", [&] { traffic.wait_in_line(12); });
  world.moves("gateway_upstream_retries_total", [&] { traffic.upstream_fails(1); });
  world.rises("gateway_upstream_circuit_open", [&] { traffic.upstream_fails(40); });
  traffic.upstream_recovers();
  CHECK(eventually(
      kLimit, [&] { return traffic.read(399) == 200; }, milliseconds(100)));
  world.moves("gateway_settings_reloads_total{result=\"refused\"}", [&] { traffic.refuse_settings(); });
  world.moves("gateway_redis_up", [&] { traffic.lose_redis(); });
  world.moves("gateway_cache_unfenced_writes_total", [&] { traffic.write(2); });
  traffic.find_redis();
  traffic.end_tight();
  CHECK(eventually(
      kLimit, [&] { return world.prometheus.value("min(up)") == 0; }, milliseconds(50)));
}

// All families that programs rely on; gateway_build_info is always 1.
constexpr const char* kNamed[] = {
    "gateway_requests_total",
    "gateway_request_duration_seconds_count",
    "gateway_cache_requests_total",
    "gateway_cache_bytes",
    "gateway_cache_entries",
    "gateway_cache_evictions_total",
    "gateway_cache_invalidations_total",
    "gateway_cache_unfenced_writes_total",
    "gateway_rate_limit_wait_seconds_count",
    "gateway_rate_limit_queue_depth",
    "gateway_rate_limit_remaining",
    "gateway_rate_limit_rejections_total",
    "gateway_upstream_requests_total",
    "gateway_upstream_duration_seconds_count",
    "gateway_upstream_retries_total",
    "gateway_upstream_circuit_open",
    "gateway_upstream_requests_saved_total",
    "gateway_token_refreshes_total",
    "gateway_token_expiry_timestamp_seconds",
    "gateway_flow_runs_total",
    "gateway_redis_up",
    "gateway_redis_duration_seconds_count",
    "gateway_webhooks_total",
    "gateway_connections",
};

}  // namespace

TEST_SUITE("deploy") {
  TEST_CASE("a real Prometheus answers every panel, rule and alert, and every metric moves with its cause") {
    Watched world;
    world.prometheus.scrape(world.traffic.admin_addresses());
    CHECK(world.prometheus.value("sum(gateway_build_info)") == 2);
    everyday_traffic(world);
    CHECK(world.alerting() == std::vector<std::string>{});  // nothing is wrong yet
    trouble(world);
    for (const char* name : kNamed) CHECK_MESSAGE(world.moved.contains(name), name);

    const auto answered = [&](const std::string& where, const std::string& expression) {
      // Rules are evaluated every second.
      const bool any = eventually(
          milliseconds(10'000), [&] { return world.prometheus.series_since_start(expression) > 0; }, milliseconds(200));
      CHECK_MESSAGE(any, where, ": ", expression);
    };
    std::size_t alerts = 0;
    for (const Rule& rule : world.prometheus.rules()) {
      answered(rule.name, rule.expression);
      alerts += rule.alert;
    }
    CHECK(alerts == 11);
    for (const auto& file : dashboard_files())
      for (const Query& query : queries_of(file)) answered(query.where, query.expression);
  }

  TEST_CASE("the dashboards import as they are, and every panel says its unit and what it means") {
    REQUIRE(dashboard_files().size() == 2);
    for (const auto& file : dashboard_files()) CHECK(shortcomings_of(file) == std::vector<std::string>{});
  }
}
