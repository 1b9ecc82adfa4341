#include "tests/end_to_end/history/cluster.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

namespace history {

namespace {
std::vector<std::string> simulator_arguments(const ClusterOptions& options) {
  std::vector<std::string> arguments{"--limit", "0", "--daily", "0"};
  arguments.insert(arguments.end(), options.simulator.begin(), options.simulator.end());
  return arguments;
}
}  // namespace

Cluster::Cluster(ClusterOptions options)
    : simulator({.arguments = simulator_arguments(options)}), options_(std::move(options)) {
  for (auto& relay : relays_)
    if (options_.relayed) relay = std::make_unique<TcpRelay>(redis.port());
  redis_url_ = options_.redis_url ? options_.redis_url(redis) : redis.url();
  for (int r = 0; r < kReplicas; ++r) start(r);
  age_epoch();
}

void Cluster::start(int replica, const std::vector<std::string>& alteration) {
  const auto r = static_cast<std::size_t>(replica);
  const auto redis_url = relays_[r] ? "redis://127.0.0.1:" + std::to_string(relays_[r]->port()) : redis_url_;
  GatewayOptions gateway{.upstream = simulator.url(),
                         .settings = {{"credentials.token", "simulator-token"},
                                      {"redis.url", redis_url},
                                      {"rate_limit.requests", "1000"},
                                      {"rate_limit.interval", "100ms"},
                                      {"rate_limit.daily", "100000000"},
                                      {"cache.operations.get-contact.fresh", "10m"},
                                      {"server.threads", "1"},
                                      {"log.requests", "off"}},
                         .alteration = alteration};
  gateway.settings.insert(gateway.settings.end(), options_.settings.begin(), options_.settings.end());
  auto started = std::make_unique<GatewayProcess>(gateway);
  std::lock_guard lock(mutex_);
  addresses_[r] = started->address();
  replicas_[r] = std::move(started);
}

void Cluster::kill(int replica) {
  signal(replica, SIGKILL);
  gateway(replica).process().wait_for_exit(milliseconds(10'000));
}

void Cluster::stop(int replica) {
  signal(replica, SIGTERM);
  // It may run into its SIGSTOP on the way, and has 30 s for what is in flight. Only one that is stopped is continued:
  // a SIGCONT takes back the SIGSTOP by which LeakSanitizer stops the process at its end, which then waits for ever.
  CHECK(eventually(milliseconds(40'000), [&] {
    if (suspended(replica)) signal(replica, SIGCONT);
    return !running(replica);
  }));
  CHECK(gateway(replica).process().wait_for_exit(milliseconds(0)) == 0);
}

void Cluster::signal(int replica, int number) { gateway(replica).process().signal(number); }

bool Cluster::running(int replica) { return gateway(replica).process().running(); }

bool Cluster::suspended(int replica) const {
  std::ifstream file("/proc/" + std::to_string(replicas_[static_cast<std::size_t>(replica)]->process().pid()) +
                     "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] == 'T';
}

std::string Cluster::address(int replica) {
  std::lock_guard lock(mutex_);
  return addresses_[static_cast<std::size_t>(replica)];
}

double Cluster::metric(int replica, const std::string& line) {
  const auto text = HttpClient(gateway(replica).admin_address()).get("/metrics").body;
  double sum = 0;
  for (auto at = text.find("\n" + line); at != std::string::npos; at = text.find("\n" + line, at + 1))
    sum += std::atof(text.c_str() + text.find_last_of(' ', text.find('\n', at + 1)));
  return sum;
}

void Cluster::age_epoch() {
  const auto registered = [&] {
    const auto fields = redis.command({"HKEYS", "cg:epoch"});
    int replicas = 0;
    for (auto at = fields.find("\nr:"); at != std::string::npos; at = fields.find("\nr:", at + 1)) ++replicas;
    return replicas >= kReplicas;
  };
  REQUIRE(eventually(milliseconds(20'000), registered));
  redis.command({"HSET", "cg:epoch", "since", "1"});
}

HttpResponse Door::send(int replica, const HttpRequest& request) {
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

std::string target_of(int contact) { return "/contacts/contact000000000000" + std::to_string(contact + 1); }

HttpRequest put_of(int contact, std::int64_t version) {
  return {.method = "PUT",
          .target = target_of(contact),
          .fields = {{"Content-Type", "application/json"}},
          .body = "{\"firstName\":\"v" + std::to_string(version) + "\"}"};
}

std::int64_t version_in(const std::string& body) {
  const std::string before = "\"firstName\":\"v";
  std::int64_t greatest = 0;
  for (auto at = body.find(before); at != std::string::npos; at = body.find(before, at + 1))
    greatest = std::max<std::int64_t>(greatest, std::atoll(body.c_str() + at + before.size()));
  return greatest;
}

}  // namespace history
