// Gateways that a Prometheus watches, and everything that can happen to them, each as one call: what a test needs so
// that every metric moves and every alert has its cause. `main` shares a Redis, runs flows and has plenty of budget;
// `tight` speaks TLS, has no Redis and hardly any budget; `oauth`, started later, has a token that ends in ten minutes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"
#include "tests/support/temp_dir.h"

namespace deploy_tests {

class Traffic {
 public:
  Traffic();

  std::vector<std::string> admin_addresses() const { return {main_->admin_address(), tight_->admin_address()}; }

  // Through `main`.
  int read(int contact);      // its status; the second one is a hit
  void read_until_evicted();  // more than the memory tier holds
  int write(int contact);
  void connect_many(int connections);  // kept open until the end
  void purge();
  void webhook();
  void upstream_fails(int reads);  // while every try is answered 503
  void upstream_recovers();
  void refuse_settings();                // SIGHUP with a settings file that is wrong
  void post_with_key();                  // the same key each time: what was answered first is answered again
  void lead(const std::string& source);  // "good": its flow is done; "broken": the upstream never takes its step
  void lose_redis() { redis_.kill(); }
  void find_redis() { redis_.start(); }

  // Through `tight`.
  std::string read_tight(int contact, const std::string& fields = {});  // the whole answer
  void wait_in_line(int requests);  // more than the window lets through, each on a thread of its own
  void refuse();                    // a request that will not wait
  void end_tight() { tight_.reset(); }

  // Through `oauth`.
  void start_oauth();
  void renew_token();  // its access token is revoked, and its next request needs another
  std::string oauth_admin_address() const { return oauth_->admin_address(); }

 private:
  void post_upstream(const std::string& target, const std::string& body);

  test_support::TempDir folder_;
  test_support::Authority authority_{"deploy tests"};
  test_support::RedisServer redis_;
  test_support::SimulatorProcess simulator_;
  test_support::HttpClient upstream_;
  std::unique_ptr<test_support::GatewayProcess> main_, tight_, oauth_;
  std::unique_ptr<test_support::HttpClient> client_;
  std::vector<test_support::HttpClient> idle_;
  std::vector<std::jthread> waiting_;
};

}  // namespace deploy_tests
