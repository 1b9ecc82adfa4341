// Three gateways on one Redis and one simulated upstream, and what can be done to them meanwhile. Started and faulted
// from the test's own thread; address() and the simulator may be used from any.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"
#include "tests/support/tcp_relay.h"

namespace history {

using namespace test_support;

inline constexpr int kReplicas = 3;

struct ClusterOptions {
  std::vector<std::pair<std::string, std::string>> settings{};  // over the cluster's own
  std::vector<std::string> simulator{"--latency", "0ms-2ms"};
  std::array<std::vector<std::string>, kReplicas> alteration{};  // of each replica, tests/fault_points/alteration.h
  std::function<std::string(RedisServer&)> redis_url{};          // where they find it, if not directly
  bool relayed = false;                                          // each replica has a relay of its own to Redis
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options = {});
  void start(int replica) { start(replica, options_.alteration[static_cast<std::size_t>(replica)]); }
  void start(int replica, const std::vector<std::string>& alteration);
  void kill(int replica);  // and waits for its end
  void stop(int replica);  // SIGTERM, and waits for its end
  void signal(int replica, int number);
  bool running(int replica);
  bool suspended(int replica) const;  // by SIGSTOP
  std::string address(int replica);
  TcpRelay& relay(int replica) { return *relays_[static_cast<std::size_t>(replica)]; }
  GatewayProcess& gateway(int replica) { return *replicas_[static_cast<std::size_t>(replica)]; }
  // The sum of the metric's lines that begin so.
  double metric(int replica, const std::string& line);
  // Writers wait one lease time in a new epoch, since leases from before it may live. In a cluster that has just begun
  // there are none: this makes its epoch an old one, so that not every test waits for that.
  void age_epoch();

  SimulatorProcess simulator;
  RedisServer redis;

 private:
  ClusterOptions options_;
  std::string redis_url_;
  std::mutex mutex_;
  std::array<std::unique_ptr<TcpRelay>, kReplicas> relays_;
  std::array<std::string, kReplicas> addresses_;
  std::array<std::unique_ptr<GatewayProcess>, kReplicas> replicas_;
};

// Keep-alive connections of one thread to whatever the replicas' addresses are now.
class Door {
 public:
  explicit Door(Cluster& cluster) : cluster_(cluster) {}
  HttpResponse send(int replica, const HttpRequest& request);

 private:
  Cluster& cluster_;
  std::array<std::unique_ptr<HttpClient>, kReplicas> clients_;
};

std::string target_of(int contact);
HttpRequest put_of(int contact, std::int64_t version);
std::int64_t version_in(const std::string& body);  // the greatest that is in it; 0: none

}  // namespace history
