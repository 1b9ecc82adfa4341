// The effective settings, each field with its default. Loaded once by load(); immutable afterwards,
// shared by shared_ptr<const Settings>, so any thread may read it. What each is called, its type, range and words:
// table.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway::config {

using std::chrono::milliseconds;

// A secret: never printed, wiped when dropped. Where it came from a file, `file` names it so that it can be read again.
struct Secret {
  std::string value;
  std::string file;
  ~Secret();
  bool empty() const { return value.empty(); }
  bool operator==(const Secret&) const = default;
};

struct OAuthGrant {
  std::string client_id;
  Secret client_secret;
  Secret refresh_token;                // the seed of an empty store only
  std::string user_type = "Location";  // or "Company"
  std::string redirect_uri;
  std::string location;  // the location or company it is for, where known beforehand
  bool operator==(const OAuthGrant&) const = default;
};

struct Client {
  std::string name;
  std::string key_hash;                 // made by `contacts-gateway hash-key`
  std::vector<std::string> locations;   // empty: all
  std::vector<std::string> operations;  // "read", "write"; empty: both
  std::optional<double> rate;           // requests a second; none: no cap of its own
  std::string location;                 // used where a request names none
  int urgency = 0;                      // the best RFC 9218 urgency it may ask for
  bool operator==(const Client&) const = default;
};

struct OperationTimes {
  std::optional<milliseconds> fresh, stale_while_revalidate, stale_if_error, settle;
  bool operator==(const OperationTimes&) const = default;
};

struct Settings {
  std::string listen = "127.0.0.1:8080";
  struct Admin {
    std::string listen = "127.0.0.1:9901";
    std::string key_hash;
    bool operator==(const Admin&) const = default;
  } admin;
  struct Upstream {
    std::string url = "https://services.leadconnectorhq.com";  // without a slash at its end
    std::string version = "2021-07-28";
    milliseconds timeout{30'000};
    milliseconds connect_timeout{5'000};
    std::string ca_file;  // PEM bundle to trust instead of the system's
    std::uint64_t connections = 100;
    bool operator==(const Upstream&) const = default;
  } upstream;
  struct Credentials {
    Secret token;
    std::map<std::string, Secret> locations;  // locations.<id>.token
    struct OAuth {
      std::vector<OAuthGrant> grants;  // the single form's fields become the first grant
      std::string store;               // "file:PATH" or "redis"
      Secret store_key;
      bool operator==(const OAuth&) const = default;
    } oauth;
    bool operator==(const Credentials&) const = default;
  } credentials;
  struct Redis {
    Secret url;  // may hold a password; empty: memory only
    milliseconds timeout{50};
    bool operator==(const Redis&) const = default;
  } redis;
  struct Cache {
    bool enabled = true;
    std::uint64_t memory_bytes = 64ull << 20;
    bool strict = true;          // cache.coherence: strict or eventual
    bool refuse_writes = false;  // cache.on_redis_loss: proceed or refuse-writes
    std::map<std::string, OperationTimes> operations;
    bool operator==(const Cache&) const = default;
  } cache;
  struct RateLimit {
    std::uint64_t requests = 100;
    milliseconds interval{10'000};
    std::uint64_t daily = 200'000;
    milliseconds max_wait{30'000};
    std::uint64_t queue = 1'000;
    double daily_reserve = 0.05;  // a fraction: 5%
    bool operator==(const RateLimit&) const = default;
  } rate_limit;
  struct Retry {
    double budget = 0.2;  // a fraction: 20%
    bool operator==(const Retry&) const = default;
  } retry;
  std::vector<Client> clients;
  struct Webhooks {
    std::vector<std::string> public_keys, legacy_public_keys;
    milliseconds max_age{300'000};
    bool operator==(const Webhooks&) const = default;
  } webhooks;
  struct Passthrough {
    bool enabled = false;
    bool cache_origin = false;  // passthrough.cache: off or origin
    bool operator==(const Passthrough&) const = default;
  } passthrough;
  struct Server {
    std::uint64_t threads = 0;       // 0: one for each core
    std::uint64_t memory_limit = 0;  // bytes; 0: none
    struct Tls {
      std::string certificate, key, client_ca;
      bool operator==(const Tls&) const = default;
    } tls;
    bool operator==(const Server&) const = default;
  } server;
  struct Log {
    std::string level = "info";    // debug, info, warn, error
    std::string requests = "all";  // all, errors, off: which requests get a line
    bool operator==(const Log&) const = default;
  } log;
  struct Flows {
    std::string path;
    bool operator==(const Flows&) const = default;
  } flows;
  struct Tracing {
    std::string otlp;
    bool operator==(const Tracing&) const = default;
  } tracing;
  bool operator==(const Settings&) const = default;
};

}  // namespace gateway::config
