// Where the upstream does not hold a request to the location that it names, since one token serves for several, the
// gateway does: a client restricted to locations gets at a record only when the record's own location, as the upstream
// tells it, is the one that the request was allowed for; and a write by a record's id changes, for the cache, whatever
// location that may be. policies/named_records.h says which requests that concerns. A record that is read itself is
// judged by its answer; for what hangs on it, and for writes, it is looked up first (get-contact and its like, from the
// cache where it is there), and what was found is remembered, since records do not move.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gateway/credentials/credentials.h"
#include "gateway/exchange/request.h"
#include "gateway/server/reply.h"
#include "gateway/upstream/client.h"
#include "policies/catalogue.h"

namespace gateway::exchange {

class Calls;

inline constexpr std::string_view kOtherLocation = "The record that this request names is not one of its location.";

// The surrogate keys of a request. Any thread.
std::vector<std::string> keys_of(const credentials::Scope& scope, const policies::Match& match,
                                 std::string_view location, std::string_view query, std::string_view body);

// The keys of what a write changes that only its answer tells; null: it was lost. Any thread.
std::vector<std::string> keys_of_answer(const policies::Match& match, std::string_view location,
                                        const upstream::Response* answer);

// The answer to a request with `own_record` is a record of another location. Any thread.
bool is_anothers(const Request& request, const upstream::Response& answer);

// Asio thread. Outlives every coroutine it starts.
class Belonging {
 public:
  explicit Belonging(const Calls& calls) : calls_(calls) {}

  // What a request with `to_prove` is refused with: 403 where one of them is of another location or will not be told;
  // where the look-up failed for now, a refusal that says that nothing of the request was sent (the look-up's own, 429,
  // 503), never upstream's answer to the look-up as if it were one to the request. Nothing: it may go on.
  asio::awaitable<std::optional<server::Response>> prove(const Request& request);

 private:
  const Calls& calls_;
  std::unordered_set<std::string> proven_;
};

}  // namespace gateway::exchange
