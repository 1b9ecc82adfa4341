// The calls to the upstream that a record is put together from. No state; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/calls.h"
#include "gateway/exchange/own_paths.h"
#include "policies/record.h"

namespace gateway::records {

// A call on behalf of `request`, with those of its fields that mean something to each part: Version, Cache-Control,
// traceparent.
exchange::Call call_for(const exchange::OwnRequest& request, std::string target);

std::string contact_path(std::string_view contact);  // "/contacts/ID", encoded

// What `parts` were answered, in their order; views into `answers`.
std::vector<policies::PartAnswer> part_answers(policies::Parts parts, const std::vector<server::Response>& answers);

std::string_view body_of(const server::Response& response);

}  // namespace gateway::records
