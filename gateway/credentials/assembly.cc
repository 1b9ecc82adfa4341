#include "gateway/credentials/assembly.h"

#include "gateway/token_store/open_store.h"

namespace gateway::credentials {

namespace {

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const auto& sentence : sentences) text.append(text.empty() ? "" : " ").append(sentence);
  return text;
}

void add_expiries(metrics::Metrics& metrics, const OAuth& oauth) {
  metrics.gauges("gateway_token_expiry_timestamp_seconds", "", {"location"}, [&oauth] {
    // A label per location is bounded: those that end soonest by name, the soonest of the rest as "other".
    constexpr std::size_t kNamed = 100;
    std::vector<metrics::Metrics::LabelledValue> values;
    for (const auto& one : oauth.report().expiries) {
      const bool named = values.size() < kNamed;
      values.push_back({{named ? one.location : "other"}, static_cast<double>(one.expires.count()) / 1000.0});
      if (!named) break;
    }
    return values;
  });
}

// One dead credential stops itself alone, so the gateway stays ready while any can be used.
void add_ready_part(admin::Admin& admin, const OAuth& oauth, bool others) {
  admin.add_ready_check([&oauth, others] {
    const auto report = oauth.report();
    const auto why = joined(report.troubles);
    const bool ready = others || report.any_usable;
    return admin::ReadyPart{"credentials", ready, why.empty() && !ready ? "no access token yet" : why};
  });
}

}  // namespace

std::unique_ptr<OAuth> make_oauth(const config::Settings& settings, const Surroundings& around) {
  if (settings.credentials.oauth.grants.empty()) return nullptr;
  auto store = token_store::open_store(around.io, settings, around.redis, true);
  auto& metrics = around.metrics;
  auto oauth = std::make_unique<OAuth>(
      OAuthParts{around.io, std::move(store), around.redis,
                 [&metrics](std::string_view result) { metrics.token_refresh(result); }, around.on_known},
      settings);
  add_expiries(metrics, *oauth);
  const bool others = !settings.credentials.token.empty() || !settings.credentials.locations.empty();
  add_ready_part(around.admin, *oauth, others);
  return oauth;
}

}  // namespace gateway::credentials
