#include "policies/credentials.h"

#include <algorithm>

#include "policies/json_strings.h"

namespace policies {

using std::chrono::milliseconds;

namespace {

milliseconds life_of(const TokenTimes& times) { return std::max(times.expires - times.obtained, milliseconds{0}); }

milliseconds part_of(milliseconds whole, double part) {
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * part));
}

bool is_location(const GrantView& grant) { return grant.kind == GrantKind::Location && !grant.gone; }
bool is_company(const GrantView& grant) { return grant.kind == GrantKind::Company && !grant.gone; }

bool serves(const GrantView& grant, std::string_view location) {
  return is_location(grant) && (location.empty() || grant.subject == location);
}

template <typename Wanted>
std::size_t find(std::span<const GrantView> grants, Wanted wanted) {
  return static_cast<std::size_t>(std::find_if(grants.begin(), grants.end(), wanted) - grants.begin());
}

std::string first_of(std::string_view body, std::string_view name) {
  std::string value;
  json_strings(body, name, [&](std::string_view found) {
    if (value.empty()) value = found;
  });
  return value;
}

}  // namespace

std::string_view to_string(GrantKind kind) { return kind == GrantKind::Location ? "Location" : "Company"; }

WallMillis renew_at(const TokenTimes& times, double jitter) {
  return times.obtained + part_of(life_of(times), 0.8 - 0.08 * std::clamp(jitter, 0.0, 1.0));
}

bool usable(const TokenTimes& times, WallMillis now) {
  return now < times.expires - std::min(life_of(times) / 10, milliseconds{5'000});
}

milliseconds renewal_pause(int failures, const TokenTimes& times, double jitter) {
  constexpr milliseconds kLeast{50}, kMostAtFirst{1'000}, kMost{30'000};
  constexpr int kDoublings = 10;
  const auto first = std::clamp(life_of(times) / 100, kLeast, kMostAtFirst);
  const auto whole = std::min(first * (1 << std::clamp(failures - 1, 0, kDoublings)), kMost);
  return part_of(whole, 0.5 + 0.5 * std::clamp(jitter, 0.0, 1.0));
}

bool means_token_refused(int status, std::string_view body) {
  if (status != 401) return false;
  const auto says = [&](std::string_view words) { return body.find(words) != std::string_view::npos; };
  return !says("version header") && !says("for this scope") && !says("access this scope");
}

bool ForcedRenewals::admit(bool had_been_accepted, Instant now) {
  constexpr Duration kLeast{1'000'000}, kMost{300'000'000};
  if (had_been_accepted) {
    pause_ = Duration{0};
    next_ = now;
  }
  if (now < next_) return false;
  pause_ = std::clamp(pause_ * 2, kLeast, kMost);
  next_ = now + pause_;
  return true;
}

GrantChoice choose_grant(std::string_view location, std::span<const GrantView> grants) {
  const auto own = find(grants, [&](const GrantView& grant) { return serves(grant, location) && grant.live; });
  if (own < grants.size()) return UseGrant{own};
  const auto renewing = find(grants, [&](const GrantView& grant) { return serves(grant, location) && !grant.ended; });
  if (renewing < grants.size()) return AwaitGrant{};

  MintFrom mint;
  for (std::size_t i = 0; i < grants.size() && !location.empty(); ++i)
    if (is_company(grants[i]) && !grants[i].ended) mint.companies.push_back(i);
  if (!mint.companies.empty()) return mint;
  const auto unnamed = [&](bool live) {
    return find(grants, [live](const GrantView& grant) {
      return is_location(grant) && grant.subject.empty() && grant.live == live && !grant.ended;
    });
  };
  if (unnamed(false) < grants.size()) return AwaitGrant{};
  if (unnamed(true) < grants.size()) return UnnamedGrant{unnamed(true)};
  const auto ended = find(grants, [&](const GrantView& grant) {
    return grant.ended &&
           (serves(grant, location) || is_company(grant) || (is_location(grant) && grant.subject.empty()));
  });
  if (ended < grants.size()) return EndedGrant{ended};
  return NoGrant{};
}

std::string_view app_of(std::string_view client_id) { return client_id.substr(0, client_id.find('-')); }

std::optional<Installation> read_installation(std::string_view type, std::string_view body) {
  if (type != "INSTALL" && type != "UNINSTALL") return std::nullopt;
  return Installation{type == "INSTALL", first_of(body, "appId"), first_of(body, "companyId"),
                      first_of(body, "locationId")};
}

}  // namespace policies
