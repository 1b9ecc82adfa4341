// Adds the shards up into prometheus-cpp's families. Runs on the scraping thread; label combinations never counted are
// left out, families never are: those without labels stand at 0, the others as their HELP and TYPE lines.
#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/metrics/metrics.h"
#include "gateway/metrics/shard.h"
#include "gateway/metrics/totals.h"

namespace gateway::metrics {

struct Labels {
  std::vector<std::string> operations;
  std::vector<std::string> clients;

  std::string operation(std::size_t index) const { return index < operations.size() ? operations[index] : "other"; }
  std::string client(std::size_t index) const {
    if (index == 0) return "anonymous";
    return index <= clients.size() ? clients[index - 1] : "other";
  }
};

struct Gauges {
  std::string name;
  std::string help;
  std::vector<std::string> label_names;
  std::function<std::vector<Metrics::LabelledValue>()> read;
};

std::vector<prometheus::MetricFamily> collect_shards(const Labels& labels,
                                                     const std::vector<std::shared_ptr<Shard>>& shards);

// The same shards as numbers; `operations`: how many the catalogue has.
Totals add_up(std::size_t operations, const std::vector<std::shared_ptr<Shard>>& shards);

// Those registered, and the HELP lines of those in families.h that nobody registered.
void collect_gauges(const std::vector<Gauges>& gauges, std::vector<prometheus::MetricFamily>& families);

}  // namespace gateway::metrics
