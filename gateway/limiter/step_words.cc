#include "gateway/limiter/step_words.h"

#include <algorithm>

namespace gateway::limiter {

namespace {

std::string text_or_none(const std::optional<std::uint64_t>& number) { return number ? text(*number) : "-1"; }

}  // namespace

std::string text(Duration duration) { return std::to_string(duration.count()); }
std::string text(std::uint64_t number) { return std::to_string(number); }

std::vector<std::string> step_arguments(const Asker& asker, const Place& place, const Step& step, std::size_t ended,
                                        std::size_t unsent) {
  using Pace = policies::BackgroundPace;
  const auto daily = step.stated_daily_limit && *step.stated_daily_limit > 0
                         ? std::min(step.daily_limit, *step.stated_daily_limit)
                         : step.daily_limit;
  const bool comparable = !step.stated_daily_limit || *step.stated_daily_limit == daily;
  std::vector<std::string> all{asker.nonce,
                               asker.replica,
                               text(step.limit.requests),
                               text(step.limit.interval),
                               text(asker.hold),
                               text_or_none(step.remaining),
                               text(step.pause.value_or(Duration{0})),
                               text(daily),
                               text_or_none(step.daily_remaining),
                               step.daily_reset ? text(*step.daily_reset) : "-1",
                               comparable ? "1" : "0",
                               text(ended),
                               text(unsent),
                               text(step.asks.size()),
                               text(step.urgent),
                               text(Pace::spacing(step.limit)),
                               text(Pace::credit(step.limit)),
                               Pace::looks_ahead(step.limit) ? text(Pace::tolerance(step.limit)) : "-1",
                               text(step.daily_background)};
  for (std::size_t i = 0; i < ended; ++i) all.push_back(text(place.ended[i]));
  for (std::size_t i = 0; i < unsent; ++i) all.push_back(text(place.unsent[i]));
  for (const auto id : step.asks) all.push_back(text(id));
  return all;
}

std::optional<std::vector<std::int64_t>> numbers(const redis::Result& result) {
  const auto* value = std::get_if<redis::Value>(&result);
  if (!value) return std::nullopt;
  if (const auto* single = std::get_if<std::int64_t>(&value->data)) return std::vector{*single};
  const auto* array = std::get_if<redis::Array>(&value->data);
  if (!array) return std::nullopt;
  std::vector<std::int64_t> all;
  for (const auto& each : *array) {
    const auto* number = std::get_if<std::int64_t>(&each.data);
    if (!number) return std::nullopt;
    all.push_back(*number);
  }
  return all;
}

}  // namespace gateway::limiter
