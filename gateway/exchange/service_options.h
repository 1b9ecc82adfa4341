// What the parts of the service take from the settings. Pure; any thread.
#pragma once

#include <chrono>
#include <vector>

#include "gateway/access/client_names.h"
#include "gateway/config/settings.h"
#include "gateway/limiter/limiter.h"
#include "gateway/upstream/client.h"
#include "policies/catalogue.h"
#include "policies/coherence.h"

namespace gateway::exchange {

policies::coherence::Timing timing_of(const config::Settings& settings);
upstream::Options upstream_options(const config::Settings& settings);
// By operation: the catalogue's times, with the operator's own over them.
std::vector<policies::Times> times_of(const config::Settings& settings, const policies::Catalogue& catalogue);
std::chrono::milliseconds deadline_of(const config::Settings& settings);  // of a request, from its arrival
limiter::Options limiter_options(const config::Settings& settings, const access::ClientNames& names);

}  // namespace gateway::exchange
