// What the gateway counts. Recording takes no lock and allocates nothing: each thread writes to a
// shard of its own with relaxed atomics; the shards are added up when `/metrics` is scraped. Label values come from
// closed sets: the catalogue's operation names, the configured clients, the busiest locations; a reason, cause or
// result beyond what a shard has room for counts as "other". Any thread may record and scrape.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::metrics {

struct Totals;

enum class CacheResult : std::uint8_t { Hit, Stale, Revalidated, Coalesced, Miss, Bypass };
std::string_view to_string(CacheResult result);
enum class Tier : std::uint8_t { None, Memory, Redis };
std::string_view to_string(Tier tier);

// Index of an operation in the catalogue, the gateway's own after it, or kOther for what is outside (404, 405,
// webhooks).
using OperationIndex = std::uint16_t;
inline constexpr OperationIndex kOther = 0xffff;

struct RequestRecord {
  OperationIndex operation = kOther;
  std::string_view method;  // unknown ones count as "other"
  int status = 0;
  std::uint16_t client = 0;  // index into the configured clients plus one; 0: anonymous
  CacheResult cache = CacheResult::Bypass;
  Tier tier = Tier::None;
  bool asks_cache = true;  // false: one of the gateway's own paths
  std::chrono::nanoseconds duration{0};
};

class Metrics {
 public:
  // `operations` and `clients`: label values by index.
  Metrics(std::vector<std::string> operations, std::vector<std::string> clients);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // A client that a reload added; its index is the next.
  void add_client(std::string name);
  std::size_t clients() const;

  void request(const RequestRecord& record);
  // One try at upstream. `code`: its status, or 0 when it failed without one.
  void upstream_request(OperationIndex operation, int code, std::chrono::nanoseconds duration);
  void upstream_retry(std::string_view reason);
  void upstream_saved();                      // a request answered without one of its own: hit or coalesced
  void invalidation(std::string_view cause);  // one, whatever it names: write, webhook, purge, log, lease, epoch
  void unfenced_write();
  void unreadable_entry(std::string_view reason);  // foreign, version, truncated, corrupted, malformed, too_large
  void rate_limit_wait(int urgency, std::chrono::nanoseconds waited);
  void rate_limit_rejection(std::string_view reason);
  void token_refresh(std::string_view result);
  void redis_command(std::string_view command, std::chrono::nanoseconds duration);
  void webhook(std::string_view type, std::string_view result);
  void idempotency_key(std::string_view result);
  void flow_run(std::string_view flow, std::string_view result);

  // Gauges are read at scrape: `read` is called on the scraping thread and must be quick and thread-safe. A name that
  // ends in _total is a counter. An empty `help` takes the text of families.h; those named there have one.
  void gauge(std::string name, std::string help, std::function<double()> read);
  struct LabelledValue {
    std::vector<std::string> labels;
    double value = 0;
  };
  void gauges(std::string name, std::string help, std::vector<std::string> label_names,
              std::function<std::vector<LabelledValue>()> read);

  std::string scrape() const;                          // Prometheus text exposition format 0.0.4
  Totals totals() const;                               // the same counts as numbers, gauges left out
  const std::vector<std::string>& operations() const;  // names by index

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::metrics
