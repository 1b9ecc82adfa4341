#include "gateway/lifecycle/live_settings.h"

namespace gateway::lifecycle {

namespace {

using config::Settings;

struct Part {
  std::string_view path;
  bool live;
  bool (*same)(const Settings& a, const Settings& b);
  void (*keep)(const Settings& running, Settings& wanted);
};

#define PART(path, live, field)                                                          \
  Part {                                                                                 \
    path, live, [](const Settings& a, const Settings& b) { return a.field == b.field; }, \
        [](const Settings& running, Settings& wanted) { wanted.field = running.field; }  \
  }

// Every field of Settings once. TLS and OAuth are live where they were on from the start and stay on.
constexpr Part kParts[] = {
    PART("listen", false, listen),
    PART("admin", false, admin),
    PART("upstream.url", false, upstream.url),
    PART("upstream.version", true, upstream.version),
    PART("upstream.timeout", false, upstream.timeout),
    PART("upstream.connect_timeout", false, upstream.connect_timeout),
    PART("upstream.ca_file", false, upstream.ca_file),
    PART("upstream.connections", false, upstream.connections),
    PART("credentials.token", true, credentials.token),
    PART("credentials.locations", true, credentials.locations),
    PART("credentials.oauth.grants", true, credentials.oauth.grants),
    PART("credentials.oauth.store", false, credentials.oauth.store),
    PART("credentials.oauth.store_key", false, credentials.oauth.store_key),
    PART("redis", false, redis),
    PART("cache.enabled", false, cache.enabled),
    PART("cache.memory_bytes", false, cache.memory_bytes),
    PART("cache.coherence", false, cache.strict),
    PART("cache.on_redis_loss", false, cache.refuse_writes),
    PART("cache.operations", true, cache.operations),
    PART("rate_limit", true, rate_limit),
    PART("retry", false, retry),
    PART("clients", true, clients),
    PART("webhooks", true, webhooks),
    PART("passthrough", false, passthrough),
    PART("server.threads", false, server.threads),
    PART("server.memory_limit", false, server.memory_limit),
    PART("server.tls", true, server.tls),
    PART("log", true, log),
    PART("flows", false, flows),
    PART("tracing", false, tracing),
};
#undef PART

bool turns_tls_on_or_off(const Part& part, const Settings& running, const Settings& wanted) {
  return part.path == "server.tls" && running.server.tls.certificate.empty() != wanted.server.tls.certificate.empty();
}

bool turns_oauth_on_or_off(const Part& part, const Settings& running, const Settings& wanted) {
  return part.path == "credentials.oauth.grants" &&
         running.credentials.oauth.grants.empty() != wanted.credentials.oauth.grants.empty();
}

bool live(const Part& part, const Settings& running, const Settings& wanted) {
  return part.live && !turns_tls_on_or_off(part, running, wanted) && !turns_oauth_on_or_off(part, running, wanted);
}

}  // namespace

Changes changes_between(const Settings& from, const Settings& to) {
  Changes changes;
  for (const Part& part : kParts)
    if (!part.same(from, to)) (live(part, from, to) ? changes.live : changes.restart).push_back(part.path);
  return changes;
}

Settings takeable(const Settings& running, Settings wanted) {
  for (const Part& part : kParts)
    if (!live(part, running, wanted)) part.keep(running, wanted);
  return wanted;
}

}  // namespace gateway::lifecycle
