#include "policies/flows/schedule.h"

#include "policies/flows/date.h"

namespace policies::flows {

namespace {

std::optional<Seconds> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0u, 1u, 3u, 4u})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const int hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';
  if (hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::hours(hours) + std::chrono::minutes(minutes);
}

}  // namespace

std::optional<Schedule> Schedule::parse(std::string_view text, std::shared_ptr<const Zone> zone) {
  Schedule schedule;
  schedule.zone_ = std::move(zone);
  schedule.time_ = time_of_day(text);
  if (schedule.time_) return schedule;
  const auto interval = parse_span(text);
  if (!interval || *interval < std::chrono::minutes(1) || *interval > std::chrono::days(31)) return std::nullopt;
  schedule.interval_ = *interval;
  return schedule;
}

WallMillis Schedule::at_day(std::chrono::sys_days day) const {
  return zone_->to_utc(Seconds(day.time_since_epoch()) + *time_);
}

WallMillis Schedule::slot_of(WallMillis now) const {
  if (!time_) return now - now % interval_;
  const auto utc = std::chrono::floor<Seconds>(now);
  const std::chrono::sys_days today(std::chrono::floor<std::chrono::days>(utc + zone_->offset_at(utc)));
  const auto slot = at_day(today);
  return slot <= now ? slot : at_day(today - std::chrono::days(1));
}

}  // namespace policies::flows
