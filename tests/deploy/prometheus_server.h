// A Prometheus of a test's own (Debian's `prometheus`, in PATH), on a free loopback port, with the project's rules and
// short intervals; ended with this object. Throws std::runtime_error with what it wrote when it does not start or
// refuses a query. One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace deploy_tests {

struct Rule {
  std::string name, expression;
  bool alert = false;
};

class PrometheusServer {
 public:
  struct Options {
    std::vector<std::string> rule_files;
    std::string job = "contacts-gateway";
  };
  explicit PrometheusServer(const Options& options);

  // What is scraped from now on, every 200 ms: "127.0.0.1:9901". Returns when each was scraped once.
  void scrape(const std::vector<std::string>& targets);

  double value(const std::string& expression);        // of an expression with at most one series; 0 where there is none
  std::size_t series(const std::string& expression);  // how many it has now
  std::size_t series_since_start(const std::string& expression);  // ... or had at some moment since the start
  std::vector<Rule> rules();

 private:
  test_support::Json ask(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters);

  test_support::TempDir folder_;
  std::string address_;
  double started_ = 0;
  std::unique_ptr<test_support::Process> process_;
  std::unique_ptr<test_support::HttpClient> client_;
};

}  // namespace deploy_tests
