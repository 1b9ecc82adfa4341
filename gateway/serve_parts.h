// What serve.cc puts its parts together with: their options, made from the settings, and the routes and metrics that
// belong to no part alone. Called by the main thread, before or while the parts start.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admin/admin.h"
#include "gateway/config/settings.h"
#include "gateway/lifecycle/reload.h"
#include "gateway/metrics/metrics.h"
#include "gateway/server/server.h"
#include "gateway/server/tls.h"

namespace gateway {

std::vector<std::string> operation_names();
std::vector<std::string> client_names(const config::Settings& settings);

server::Options public_options(const config::Settings& settings);
server::Options admin_options(const config::Settings& settings);

// `/metrics` and `/operations`.
void add_admin_routes(admin::Admin& admin, metrics::Metrics& metrics);
// Read at each scrape: `server` and `reload` outlive the last one.
void add_handshake_counts(metrics::Metrics& metrics, const server::Server& server);
void add_reload_counts(metrics::Metrics& metrics, const lifecycle::Reload& reload);

// Lines in the log. An expired certificate is served all the same: a gateway that does not start would help its clients
// less.
void tell_certificate(const server::TlsContext& tls);
void tell_addresses(std::string_view name, const server::Server& server);

// How long the upstream's indexes may lag behind what the predecessor wrote last: only it had the marks for that.
std::chrono::milliseconds rest_after_predecessor(const config::Settings& settings);

}  // namespace gateway
