#include "gateway/status/facts.h"

#include <unistd.h>

#include <array>

namespace gateway::status {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "this host";
  return name.data();
}

// "https://user@host:443/path" tells "host:443": what else an URL holds is nobody's business here.
std::string host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  return std::string(url);
}

}  // namespace

Facts make_facts(const config::Settings& settings, const metrics::Metrics& metrics) {
  Facts facts;
  facts.version = GATEWAY_VERSION;
  facts.instance = host_name() + ", process " + std::to_string(::getpid());
  facts.started = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  facts.upstream = host_of(settings.upstream.url);
  facts.cache_enabled = settings.cache.enabled;
  facts.cache_bytes = settings.cache.memory_bytes;
  facts.memory_limit = settings.server.memory_limit;
  facts.refuses_writes = settings.cache.refuse_writes;
  facts.operations = metrics.operations();
  return facts;
}

}  // namespace gateway::status
