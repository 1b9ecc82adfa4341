#include "gateway/metrics/metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <set>
#include <sstream>
#include <string>
#include <thread>

using gateway::metrics::CacheResult;
using gateway::metrics::kOther;
using gateway::metrics::Metrics;
using gateway::metrics::RequestRecord;
using gateway::metrics::Tier;
using namespace std::chrono_literals;

namespace {

// The value of the series that `text` has for `series`; -1 where there is none.
double value(const std::string& text, const std::string& series) {
  const std::string start = "\n" + series + " ";
  const std::size_t at = ("\n" + text).find(start);
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + start.size() - 1, nullptr);
}

RequestRecord hit(std::chrono::nanoseconds duration) {
  return {.operation = 0,
          .method = "GET",
          .status = 200,
          .client = 1,
          .cache = CacheResult::Hit,
          .tier = Tier::Memory,
          .duration = duration};
}

}  // namespace

TEST_SUITE("metrics") {
  TEST_CASE("every family is there from the start, with HELP and TYPE") {
    const Metrics metrics({"get-contact"}, {});
    const std::string text = metrics.scrape();
    const std::pair<const char*, const char*> families[] = {
        {"gateway_requests_total", "counter"},
        {"gateway_request_duration_seconds", "histogram"},
        {"gateway_cache_requests_total", "counter"},
        {"gateway_cache_bytes", "gauge"},
        {"gateway_cache_entries", "gauge"},
        {"gateway_cache_evictions_total", "counter"},
        {"gateway_cache_invalidations_total", "counter"},
        {"gateway_cache_unfenced_writes_total", "counter"},
        {"gateway_cache_unreadable_entries_total", "counter"},
        {"gateway_rate_limit_wait_seconds", "histogram"},
        {"gateway_rate_limit_queue_depth", "gauge"},
        {"gateway_rate_limit_remaining", "gauge"},
        {"gateway_rate_limit_reset_timestamp_seconds", "gauge"},
        {"gateway_rate_limit_rejections_total", "counter"},
        {"gateway_upstream_requests_total", "counter"},
        {"gateway_upstream_duration_seconds", "histogram"},
        {"gateway_upstream_retries_total", "counter"},
        {"gateway_upstream_circuit_open", "gauge"},
        {"gateway_upstream_requests_saved_total", "counter"},
        {"gateway_token_refreshes_total", "counter"},
        {"gateway_token_expiry_timestamp_seconds", "gauge"},
        {"gateway_redis_up", "gauge"},
        {"gateway_redis_duration_seconds", "histogram"},
        {"gateway_webhooks_total", "counter"},
        {"gateway_flow_runs_total", "counter"},
        {"gateway_connections", "gauge"},
        {"gateway_build_info", "gauge"},
        {"process_cpu_seconds_total", "counter"},
        {"process_resident_memory_bytes", "gauge"},
        {"process_open_fds", "gauge"},
        {"process_start_time_seconds", "gauge"},
    };
    for (const auto& [name, type] : families) {
      CHECK_MESSAGE(text.find("# TYPE " + std::string(name) + " " + type + "\n") != std::string::npos, name);
      CHECK_MESSAGE(text.find("# HELP " + std::string(name) + " ") != std::string::npos, name);
    }
    CHECK(value(text, "gateway_upstream_requests_saved_total") == 0);
    CHECK(value(text, "process_open_fds") > 2);
    CHECK(value(text, "process_resident_memory_bytes") > 1e6);
    CHECK(value(text, "process_start_time_seconds") > 1.6e9);
    CHECK(text.find("gateway_build_info{version=\"") != std::string::npos);
    CHECK(text.find("\ngateway_requests_total{") == std::string::npos);
  }

  TEST_CASE("what was recorded is what is scraped") {
    Metrics metrics({"get-contact", "update-contact"}, {"crm"});
    for (int i = 0; i < 3; ++i) metrics.request(hit(7us));
    metrics.request(hit(40s));
    metrics.request({.operation = 1, .method = "PUT", .status = 422, .client = 0, .duration = 120ms});
    metrics.request({.operation = kOther, .method = "BREW", .status = 404, .client = 77});
    metrics.upstream_request(1, 422, 110ms);
    metrics.upstream_request(1, 0, 5s);
    metrics.upstream_retry("reset");
    metrics.upstream_saved();
    metrics.invalidation("write");
    metrics.gauge("gateway_cache_evictions_total", "", [] { return 12.0; });
    metrics.unfenced_write();
    metrics.unreadable_entry("corrupted");
    metrics.rate_limit_wait(3, 1500ms);
    metrics.rate_limit_wait(99, 1ms);
    metrics.rate_limit_rejection("queue-full");
    metrics.token_refresh("ok");
    metrics.redis_command("lookup", 200us);
    metrics.webhook("ContactCreate", "accepted");
    metrics.flow_run("lead", "done");
    const std::string text = metrics.scrape();
    const std::pair<const char*, double> series[] = {
        {R"(gateway_requests_total{operation="get-contact",method="GET",code="200",client="crm"})", 4},
        {R"(gateway_requests_total{operation="update-contact",method="PUT",code="422",client="anonymous"})", 1},
        {R"(gateway_requests_total{operation="other",method="other",code="404",client="other"})", 1},
        {R"(gateway_request_duration_seconds_count{operation="get-contact",cache="hit"})", 4},
        {R"(gateway_request_duration_seconds_bucket{operation="get-contact",cache="hit",le="5e-06"})", 0},
        {R"(gateway_request_duration_seconds_bucket{operation="get-contact",cache="hit",le="1e-05"})", 3},
        {R"(gateway_request_duration_seconds_bucket{operation="get-contact",cache="hit",le="30"})", 3},
        {R"(gateway_request_duration_seconds_bucket{operation="get-contact",cache="hit",le="+Inf"})", 4},
        {R"(gateway_cache_requests_total{operation="get-contact",result="hit",tier="memory"})", 4},
        {R"(gateway_cache_requests_total{operation="update-contact",result="bypass",tier="none"})", 1},
        {R"(gateway_upstream_requests_total{operation="update-contact",code="422"})", 1},
        {R"(gateway_upstream_requests_total{operation="update-contact",code="none"})", 1},
        {R"(gateway_upstream_duration_seconds_count{operation="update-contact"})", 2},
        {R"(gateway_upstream_retries_total{reason="reset"})", 1},
        {"gateway_upstream_requests_saved_total", 1},
        {R"(gateway_cache_invalidations_total{cause="write"})", 1},
        {"gateway_cache_evictions_total", 12},
        {"gateway_cache_unfenced_writes_total", 1},
        {"gateway_cache_unreadable_entries_total{reason=\"corrupted\"}", 1},
        {R"(gateway_rate_limit_wait_seconds_sum{urgency="3"})", 1.5},
        {R"(gateway_rate_limit_wait_seconds_count{urgency="7"})", 1},
        {R"(gateway_rate_limit_rejections_total{reason="queue-full"})", 1},
        {R"(gateway_token_refreshes_total{result="ok"})", 1},
        {R"(gateway_redis_duration_seconds_count{command="lookup"})", 1},
        {R"(gateway_webhooks_total{type="ContactCreate",result="accepted"})", 1},
        {R"(gateway_flow_runs_total{flow="lead",result="done"})", 1},
    };
    for (const auto& [name, expected] : series) CHECK_MESSAGE(value(text, name) == doctest::Approx(expected), name);
    CHECK(value(text, R"(gateway_request_duration_seconds_sum{operation="get-contact",cache="hit"})") ==
          doctest::Approx(40.000021));
    CHECK(text.find(R"(cache_requests_total{operation="other")") == std::string::npos);
    // A rule names a bound as people write it.
    CHECK(text.find(R"(le="0.075")") != std::string::npos);
    constexpr std::size_t kLongest = std::string_view("0.00025").size();
    for (auto at = text.find("le=\""); at != std::string::npos; at = text.find("le=\"", at)) {
      at += 4;
      const auto bound = text.substr(at, text.find('"', at) - at);
      CHECK_MESSAGE(bound.size() <= kLongest, bound);
    }
  }

  TEST_CASE("gauges are read at the scrape, a name in _total as a counter, label values escaped") {
    Metrics metrics({}, {});
    double bytes = 5;
    metrics.gauge("gateway_cache_bytes", "", [&] { return bytes; });
    metrics.gauge("gateway_log_lines_dropped_total", "Log lines lost.", [] { return 2.0; });
    metrics.gauges("gateway_rate_limit_remaining", "", {"location", "window"}, [] {
      return std::vector<Metrics::LabelledValue>{{{"a\"b", "day"}, 7}};
    });
    bytes = 6;
    const std::string text = metrics.scrape();
    CHECK(value(text, "gateway_cache_bytes") == 6);
    CHECK(text.find("# HELP gateway_cache_bytes Bytes held by the memory tier.\n") != std::string::npos);
    CHECK(text.find("# TYPE gateway_log_lines_dropped_total counter\n") != std::string::npos);
    CHECK(value(text, R"(gateway_rate_limit_remaining{location="a\"b",window="day"})") == 7);
    std::set<std::string> families;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("# TYPE ")) CHECK_MESSAGE(families.insert(line).second, line);
  }

  TEST_CASE("threads count side by side while others scrape, and nothing is lost when they end") {
    Metrics metrics({"get-contact"}, {"crm"});
    constexpr int kThreads = 4, kRounds = 3, kEach = 20'000;
    std::atomic<bool> done{false};
    std::atomic<bool> went_back{false};
    std::thread scraper([&] {
      for (double last = -1; !done;) {
        const double now =
            value(metrics.scrape(),
                  R"(gateway_requests_total{operation="get-contact",method="GET",code="200",client="crm"})");
        if (now < last) went_back = true;
        last = now;
      }
    });
    for (int round = 0; round < kRounds; ++round) {
      std::vector<std::thread> threads;
      std::latch together(kThreads);
      for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
          together.arrive_and_wait();
          for (int i = 0; i < kEach; ++i) metrics.request(hit(7us)), metrics.upstream_retry("reset");
        });
      for (auto& thread : threads) thread.join();
    }
    done = true;
    scraper.join();
    CHECK_FALSE(went_back);
    const std::string text = metrics.scrape();
    CHECK(value(text, R"(gateway_requests_total{operation="get-contact",method="GET",code="200",client="crm"})") ==
          kThreads * kRounds * kEach);
    CHECK(value(text, R"(gateway_upstream_retries_total{reason="reset"})") == kThreads * kRounds * kEach);
  }

  TEST_CASE("label sets stay bounded: what is too much counts as other") {
    Metrics metrics({"get-contact"}, {});
    for (int i = 0; i < 1000; ++i) metrics.webhook("Type" + std::to_string(i), "accepted");
    metrics.upstream_retry(std::string(500, 'x'));
    std::string text = metrics.scrape();
    CHECK(value(text, R"(gateway_webhooks_total{type="other",result="other"})") == 744);
    CHECK(value(text, R"(gateway_upstream_retries_total{reason="other"})") == 1);
    for (int status = 100; status < 1000; ++status)
      for (const char* method : {"GET", "PUT"}) metrics.request({.operation = 0, .method = method, .status = status});
    text = metrics.scrape();
    double total = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("gateway_requests_total{")) total += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    CHECK(total == 1800);
    CHECK(value(text, R"(gateway_requests_total{operation="get-contact",method="PUT",code="900",client="other"})") > 0);
  }

  TEST_CASE("a thousand locations scrape in under 2 MiB") {
    std::vector<std::string> operations, clients;
    for (int i = 0; i < 32; ++i) operations.push_back("operation-" + std::to_string(i));
    for (int i = 0; i < 20; ++i) clients.push_back("client-" + std::to_string(i));
    Metrics metrics(operations, clients);
    for (std::uint16_t operation = 0; operation < 32; ++operation)
      for (std::uint16_t client = 0; client <= 20; ++client)
        for (int status : {200, 404, 429})
          metrics.request({.operation = operation,
                           .method = "GET",
                           .status = status,
                           .client = client,
                           .cache = static_cast<CacheResult>(client % 6)});
    for (const char* name :
         {"gateway_rate_limit_queue_depth", "gateway_rate_limit_remaining", "gateway_upstream_circuit_open"})
      metrics.gauges(name, "", {"location"}, [] {
        std::vector<Metrics::LabelledValue> values;
        for (int i = 0; i < 1000; ++i) values.push_back({{"ve9EPM428h8vShlRW" + std::to_string(i)}, 1.0 * i});
        return values;
      });
    CHECK(metrics.scrape().size() < 2u << 20);
  }
}
