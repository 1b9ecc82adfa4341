#include "gateway/config/checks.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

#include "gateway/config/address.h"
#include "gateway/redis/client.h"
#include "gateway/webhooks/public_keys.h"

namespace gateway::config {

namespace {

void check_door(const Settings& s, Problems& problems) {
  if (s.clients.empty() && reachable_by_others(s.listen))
    problems.push_back(
        "listen: others can reach " + s.listen +
        ", and without clients anyone there could use your credentials; listen on 127.0.0.1 or unix:PATH, or "
        "configure clients (`contacts-gateway hash-key --generate` makes a key)");
  const bool free_port = s.listen.ends_with(":0");
  if (s.listen == s.admin.listen && !free_port)
    problems.push_back("admin.listen: the same address as listen; give it a port of its own");
}

void check_credentials(const Settings& s, Problems& problems) {
  const auto& c = s.credentials;
  if (c.token.empty() && c.locations.empty() && c.oauth.grants.empty())
    problems.push_back(
        "credentials: none given; set credentials.token_file (GATEWAY_CREDENTIALS_TOKEN_FILE) to a file with a private "
        "integration token, or credentials.locations.<id>.token_file for single locations");
}

void check_grant(const OAuthGrant& grant, const std::string& path, Problems& problems) {
  if (grant.client_id.empty()) problems.push_back(path + ".client_id: missing");
  if (grant.client_secret.empty()) problems.push_back(path + ".client_secret: missing");
}

void check_oauth(const Settings& s, Problems& problems) {
  const auto& oauth = s.credentials.oauth;
  for (std::size_t i = 0; i < oauth.grants.size(); ++i)
    check_grant(oauth.grants[i],
                oauth.grants.size() == 1 ? "credentials.oauth" : "credentials.oauth.grants[" + std::to_string(i) + "]",
                problems);
  if (oauth.grants.empty()) {
    if (!oauth.store.empty()) problems.push_back("credentials.oauth.store: no grant is configured that it could keep");
    return;
  }
  constexpr std::size_t kShortestKey = 32;
  if (!oauth.store_key.empty() && oauth.store_key.value.size() < kShortestKey)
    problems.push_back(
        "credentials.oauth.store_key: expected at least 32 characters, random ones: openssl rand -base64 32 makes a "
        "key");
  std::set<std::string> apart;
  for (const auto& grant : oauth.grants)
    if (!apart.insert(grant.client_id + "/" + grant.user_type + "/" + grant.location).second)
      problems.push_back("credentials.oauth.grants: two of the client " + grant.client_id +
                         " with the same location; give each its location (or company), by which their tokens are "
                         "told apart");
  const bool file = oauth.store.starts_with("file:") && oauth.store.size() > 5;
  if (!file && oauth.store != "redis")
    problems.push_back(
        "credentials.oauth.store: expected file:PATH or redis: a refresh token works once, so the next one must be "
        "kept");
  if (oauth.store == "redis" && s.redis.url.empty())
    problems.push_back("credentials.oauth.store: redis needs redis.url");
}

void check_client(const Client& client, const std::string& path, Problems& problems) {
  constexpr std::size_t kLongestName = 64;
  if (client.name.empty()) problems.push_back(path + ".name: missing");
  if (client.name.size() > kLongestName || client.name == "anonymous" || client.name == "other")
    problems.push_back(path + ".name: expected at most 64 characters, and neither \"anonymous\" nor \"other\"");
  if (client.key_hash.empty()) problems.push_back(path + ".key_hash: missing; `contacts-gateway hash-key` makes one");
  const auto& own = client.locations;
  if (!client.location.empty() && !own.empty() && std::find(own.begin(), own.end(), client.location) == own.end())
    problems.push_back(path + ".location: is not among its locations");
}

void check_clients(const Settings& s, Problems& problems) {
  std::set<std::string> names, hashes;
  for (std::size_t i = 0; i < s.clients.size(); ++i) {
    const std::string path = "clients[" + std::to_string(i) + "]";
    check_client(s.clients[i], path, problems);
    if (!names.insert(s.clients[i].name).second) problems.push_back(path + ".name: another client has this name");
    if (!s.clients[i].key_hash.empty() && !hashes.insert(s.clients[i].key_hash).second)
      problems.push_back(path + ".key_hash: another client has this key");
  }
}

void check_tls(const Settings& s, Problems& problems) {
  const auto& tls = s.server.tls;
  if (!tls.certificate.empty() && tls.key.empty())
    problems.push_back("server.tls.key: missing; server.tls.certificate needs its private key");
  if (tls.certificate.empty() && !tls.key.empty())
    problems.push_back("server.tls.certificate: missing; server.tls.key is of no use without it");
  if (tls.certificate.empty() && !tls.client_ca.empty())
    problems.push_back("server.tls.client_ca: needs server.tls.certificate and server.tls.key");
}

void check_webhooks(const Settings& s, Problems& problems) try {
  webhooks::PublicKeys{s.webhooks};
} catch (const std::invalid_argument& e) {
  problems.emplace_back(e.what());
}

// libcurl reads upstream.ca_file by itself; here it is only checked that there is a certificate in it.
void check_ca_file(const std::string& path, Problems& problems) {
  std::ifstream file(path);
  if (!file) return problems.push_back("upstream.ca_file: " + path + ": cannot be read");
  for (std::string line; std::getline(file, line);)
    if (line.find("-----BEGIN ") != std::string::npos) return;
  problems.push_back("upstream.ca_file: " + path + " holds no certificate; expected a PEM bundle");
}

void check_upstream(const Settings& s, Problems& problems) {
  const auto& upstream = s.upstream;
  for (const char* scheme : {"http://", "https://"})
    if (upstream.url == scheme + s.listen || upstream.url == scheme + s.listen + "/")
      problems.push_back("upstream.url: is this gateway's own address, listen; each request would come back to it");
  if (!upstream.ca_file.empty() && upstream.url.starts_with("https:")) check_ca_file(upstream.ca_file, problems);
}

void check_redis(const Settings& s, Problems& problems) try {
  if (!s.redis.url.empty()) redis::parse_url(s.redis.url.value);
} catch (const std::invalid_argument& e) {
  problems.push_back(std::string("redis.url: ") + e.what() +
                     "; expected redis://[user:password@]host:port/db or redis+sentinel://host:port,…/name");
}

void check_flows(const Settings& s, Problems& problems) {
  if (!s.flows.path.empty() && s.redis.url.empty())
    problems.push_back(
        "flows.path: flows need redis.url: events and the progress of runs are kept there, so that none is lost");
}

// A default that no longer fits what was given is no mistake of the operator's: the lesser one holds.
void check_times(const Settings& s, Problems& problems) {
  const Settings defaults;
  if (s.upstream.connect_timeout > s.upstream.timeout &&
      s.upstream.connect_timeout != defaults.upstream.connect_timeout)
    problems.push_back("upstream.connect_timeout: longer than upstream.timeout, which ends the request first");
  if (s.rate_limit.requests > s.rate_limit.daily && s.rate_limit.requests != defaults.rate_limit.requests &&
      s.rate_limit.daily != defaults.rate_limit.daily)
    problems.push_back("rate_limit.daily: less than rate_limit.requests of one interval");
  if (s.cache.refuse_writes && s.redis.url.empty())
    problems.push_back("cache.on_redis_loss: refuse-writes needs redis.url");
}

}  // namespace

Problems contradictions(const Settings& settings) {
  Problems problems;
  check_door(settings, problems);
  check_credentials(settings, problems);
  check_oauth(settings, problems);
  check_clients(settings, problems);
  check_tls(settings, problems);
  check_webhooks(settings, problems);
  check_upstream(settings, problems);
  check_redis(settings, problems);
  check_flows(settings, problems);
  check_times(settings, problems);
  return problems;
}

}  // namespace gateway::config
