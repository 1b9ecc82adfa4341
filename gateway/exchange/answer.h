// How answers look: what of an upstream answer is kept, how an entry's bytes are prepared. Pure functions over bytes;
// any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/cache/memory_tier.h"
#include "gateway/server/reply.h"
#include "policies/cache_status.h"

namespace gateway::exchange {

// Status line and field lines as Reply::send_prepared takes them. Left out: framing (Content-Length is made from
// `body_size`), Age and X-Request-Id (made anew for each answer) and the upstream's X-RateLimit fields, which say
// nothing any more once an answer is kept. `received`: its Date where it has none.
std::string prepared_head(int status, const policies::Fields& fields, std::size_t body_size,
                          policies::WallTime received);

// The first value of `name` in a prepared head, empty where it is absent.
std::string_view prepared_value(std::string_view head, std::string_view name);

// Reads a prepared head back; for answers that do not leave on the worker's fast way.
policies::Fields fields_of(const cache::Entry& entry);
server::Response response_of(const std::shared_ptr<const cache::Entry>& entry);

// The fields that an answer from a cache gets beside its own, for Reply::send_prepared.
void append_hit_fields(std::string& extra, std::chrono::milliseconds age, std::string_view request_id,
                       const policies::CacheStatus& status);

// The head of a 304 for it: the fields RFC 9110 section 15.4.5 names.
std::string not_modified_head(const cache::Entry& entry);

}  // namespace gateway::exchange
