// OAuth as a running gateway has it: with its store, its metrics and what /readyz says of it.
#pragma once

#include <functional>
#include <memory>

#include "gateway/admin/admin.h"
#include "gateway/credentials/oauth.h"
#include "gateway/metrics/metrics.h"
#include "gateway/redis/client.h"

namespace gateway::credentials {

struct Surroundings {
  asio::io_context& io;
  redis::Client* redis;  // null: none is configured
  metrics::Metrics& metrics;
  admin::Admin& admin;
  std::function<void()> on_known;  // OAuth::known() has changed; Asio thread
};

// Null where no grant is configured. Throws std::runtime_error, in words for an operator, when the token store cannot
// be used. What it registers refers to the object, which outlives the servers' last request.
std::unique_ptr<OAuth> make_oauth(const config::Settings& settings, const Surroundings& around);

}  // namespace gateway::credentials
