// The exchange's state as metrics (gateway/metrics/families.h has their names and words), read at each scrape.
#pragma once

#include <functional>

#include "gateway/exchange/state.h"
#include "gateway/metrics/metrics.h"

namespace gateway::exchange {

// `state` is called on the scraping thread.
void add_gauges(metrics::Metrics& metrics, std::function<State()> state);

}  // namespace gateway::exchange
