// What a read depends on and what a write changes, as surrogate keys (rule 1 of the coherence contract). The catalogue
// names them by templates; here they get their values. Pure; any thread. Nothing throws on bad input: a body that
// cannot be read gives no keys of its own, and a write then falls back on the operation's `keys_if_unknown`.
//
// Values are percent-decoded and written back in one way, so that "/contacts/a%62c" and "/contacts/abc" share keys and
// ':' cannot occur in them.
//
// A request need not name its location ("PUT /contacts/ID" with one token for all). So that its write still reaches
// every list:
//   1. a read of location L depends on the keys of L and of "*" (any location);
//   2. a read of an unknown location depends on those of "?" (some location) and of "*";
//   3. a write to L changes those of L and of "?"; a write to an unknown location those of "*" and of "?".
// Each write meets each read that it may change, and a write to L leaves the reads of other locations alone. Where the
// upstream does not hold a request to the location it names (one token for several, a record named by its id:
// named_records.h), the writer's word for it is not enough: such a write is given here without a location.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/catalogue.h"

namespace policies {

// A bulk write of more contacts than this changes its whole location instead.
inline constexpr std::size_t kMostKeys = 20'000;

// Keys known before upstream answers; sorted, each once. `location`: empty where unknown.
std::vector<std::string> keys_of_request(const Match& match, std::string_view location, std::string_view request_body,
                                         std::string_view query = {});

// Keys that only a write's answer tells, without those that keys_of_request() gave; sorted, each once. An empty body
// stands for an answer that was lost.
std::vector<std::string> keys_of_answer(const Match& match, std::string_view location, std::string_view answer_body);

// Whether there may be any: whoever sends such a write must be able to read its answer.
bool keys_in_answer(const Operation& operation);

// What an event's body names: templates like "contact:{appointment.contactId}" over that body. A location that is
// missing there is an unknown one (rule 3); where anything else is, the keys of `if_unknown` are added.
std::vector<std::string> keys_of_body(const std::vector<std::string>& templates,
                                      const std::vector<std::string>& if_unknown, std::string_view body);

// A collection's key: upstream's index lags behind, so a write keeps its mark there for the settle time.
bool is_collection(std::string_view key);

// What an operator's purge of a location invalidates: every entry of it.
std::vector<std::string> keys_of_location(std::string_view location);

}  // namespace policies
