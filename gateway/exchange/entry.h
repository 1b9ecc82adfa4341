// Between an upstream answer, an entry in memory and one in the shared tier. The rules are policies' (freshness.h,
// conditional.h); here they get this gateway's values. No I/O; any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gateway/cache/memory_tier.h"
#include "gateway/cache/shared_tier.h"
#include "gateway/exchange/request.h"
#include "gateway/exchange/vary_names.h"
#include "gateway/server/reply.h"
#include "gateway/upstream/client.h"

namespace gateway::exchange {

using std::chrono::milliseconds;

// When a fetch was sent and its answer came, by both clocks.
struct Fetch {
  policies::WallTime requested;
  policies::WallTime received;
  milliseconds received_boottime{0};
};

// What becomes of an upstream answer to a shared read: `entry` where it may be kept, under `key` (the request's, with
// the names that this answer varies on), and the answer as the client gets it.
struct Kept {
  std::shared_ptr<const cache::Entry> entry;
  milliseconds keep{0};  // how long the shared tier may have use for it
  std::string key;
  server::Response response;
};
Kept keep(const Request& request, upstream::Response answer, const policies::Times& rule, const cache::Guard& guard,
          const Fetch& fetch, VaryNames& names);

// 304 to a conditional refresh (RFC 9111 section 4.3.4): the stored answer with the new fields.
upstream::Response renewed(const cache::Entry& entry, const upstream::Response& not_modified);
// The fields that make a refresh conditional; empty where upstream sent no validator of its own.
policies::Fields validators_of(const cache::Entry& entry);

// The client holds what `entry` would send.
bool holds_already(policies::FieldsView request, const cache::Entry& entry);

// `tier_now`: the shared tier's clock at the lookup.
std::shared_ptr<const cache::Entry> entry_of(cache::FoundEntry found, const cache::Guard& guard, milliseconds tier_now);
// `looked_up`: boottime of the lookup that `found` came from.
std::shared_ptr<const cache::StoredEntry> stored_entry_of(const Kept& kept,
                                                          const std::vector<std::string>& surrogate_keys,
                                                          const cache::Found& found, milliseconds looked_up);

// The values of the fields that `response` varies on, in `request`: equal means that both may have the same answer.
std::string variant_of(const Request& request, const server::Response& response);

}  // namespace gateway::exchange
