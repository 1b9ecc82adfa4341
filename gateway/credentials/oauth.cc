#include "gateway/credentials/oauth.h"

#include <algorithm>

#include "gateway/clock.h"
#include "gateway/log/log.h"

namespace gateway::credentials {

using policies::GrantKind;
using std::chrono::milliseconds;

namespace {
constexpr milliseconds kStopWithin{10'000};
constexpr milliseconds kInstallWithin{5'000};
}  // namespace

OAuth::OAuth(OAuthParts parts, const config::Settings& settings)
    : io_(parts.io),
      store_(std::move(parts.store)),
      endpoint_(io_, settings),
      changed_(io_.get_executor()),
      on_known_(std::move(parts.on_known)),
      grants_({io_, *store_, endpoint_, parts.count, [this] { grants_changed(); }}, settings.credentials.oauth.grants),
      tokens_(io_, grants_, endpoint_, settings.upstream.version, parts.count, [this] { changed_.notify(); }),
      news_(io_, parts.redis) {}

void OAuth::start() {
  grants_.start();
  news_.start([this](const std::string& location) { tokens_.drop(location); });
}

asio::awaitable<void> OAuth::stop() {
  news_.stop();
  co_await grants_.stop(kStopWithin);
}

void OAuth::reload(const config::Settings& settings) { grants_.configure(settings.credentials.oauth.grants); }

policies::GrantChoice OAuth::choose(std::string_view location) const {
  const auto views = grants_.views();
  return policies::choose_grant(location, views);
}

AccessPtr OAuth::held(std::string_view location) {
  const auto now = wall_now();
  for (const auto& grant : grants_.all()) {  // the usual case without building a view of all
    const auto& known = grant->grant;
    if (known.kind == GrantKind::Location && (location.empty() || known.subject == location) && grant->access &&
        !grant->refused && policies::usable(known.times, now))
      return grant->access;
  }
  return location.empty() ? nullptr : tokens_.held(std::string(location));
}

asio::awaitable<std::variant<AccessPtr, NoAccess>> OAuth::acquire(std::string location, Clock::time_point deadline) {
  using Reason = NoAccess::Reason;
  for (;;) {
    if (auto access = held(location)) co_return access;
    const auto choice = choose(location);
    if (grants_.loaded()) {
      if (std::holds_alternative<policies::NoGrant>(choice)) co_return NoAccess{Reason::None, {}};
      if (const auto* unnamed = std::get_if<policies::UnnamedGrant>(&choice))
        co_return NoAccess{Reason::None, grants_.all()[unnamed->index]->why_unnamed()};
      if (const auto* ended = std::get_if<policies::EndedGrant>(&choice))
        co_return NoAccess{Reason::Dead, why_ended(*grants_.all()[ended->index])};
    }
    if (std::holds_alternative<policies::MintFrom>(choice)) {
      if (tokens_.refused(location)) co_return NoAccess{Reason::None, "No agency's credential is good for it."};
      tokens_.want(location);
    }
    if (Clock::now() >= deadline) co_return NoAccess{Reason::Unavailable, trouble_of(location)};
    constexpr milliseconds kLookEvery{250};  // a pause after a failed try ends without a notification
    co_await changed_.wait(std::min(Clock::now() + kLookEvery, deadline));
  }
}

asio::awaitable<bool> OAuth::refused(std::string location, AccessPtr access, Clock::time_point deadline) {
  GrantPtr owner;
  for (const auto& grant : grants_.all())
    if (grant->access == access) owner = grant;
  if (!owner && !tokens_.holds(location, access)) co_return true;  // it was renewed meanwhile
  if (owner ? !grants_.refuse(owner, access) : !tokens_.refuse(location, access)) co_return false;
  while (Clock::now() < deadline) {
    const bool same = owner ? owner->access == access : tokens_.holds(location, access);
    if (!same) co_return true;
    if (owner && !owner->grant.ended.empty()) co_return true;  // acquire() says so
    if (owner && !owner->refused) co_return false;             // it could not be renewed
    if (!owner && tokens_.refused(location)) co_return false;
    constexpr milliseconds kLookEvery{250};
    co_await changed_.wait(std::min(Clock::now() + kLookEvery, deadline));
  }
  co_return false;
}

asio::awaitable<bool> OAuth::on_installation(policies::Installation installation) {
  const bool ours = std::any_of(grants_.all().begin(), grants_.all().end(), [&](const GrantPtr& grant) {
    return policies::app_of(grant->grant.client_id) == installation.app;
  });
  if (!ours) co_return true;
  if (!installation.installed) co_return co_await uninstalled(std::move(installation));
  if (installation.location.empty()) co_return true;  // a whole agency's: its locations come when they are asked for
  co_return co_await installed(std::move(installation.location));
}

// What an agency can make is made now; a location's own grant comes by `authorize` alone.
asio::awaitable<bool> OAuth::installed(std::string location) {
  if (!std::holds_alternative<policies::MintFrom>(choose(location))) co_return true;
  tokens_.drop(location);  // that it was refused was before
  if (!co_await news_.tell(location)) co_return false;
  const auto got = co_await acquire(location, Clock::now() + kInstallWithin);
  const auto* none = std::get_if<NoAccess>(&got);
  co_return none == nullptr || none->reason != NoAccess::Reason::Unavailable;
}

asio::awaitable<bool> OAuth::uninstalled(policies::Installation installation) {
  const bool whole = installation.location.empty();
  const auto& subject = whole ? installation.company : installation.location;
  bool all = true;
  if (!whole) {
    tokens_.drop(subject);
    all = co_await news_.tell(subject);
  }
  const auto grants = grants_.all();  // may change while it waits
  for (const auto& grant : grants) {
    const bool meant = grant->grant.subject == subject && (grant->grant.kind == GrantKind::Company) == whole &&
                       policies::app_of(grant->grant.client_id) == installation.app && !grant->grant.uninstalled();
    if (meant && !subject.empty()) all = co_await grants_.end(grant, token_store::kUninstalled) && all;
  }
  co_return all;
}

void OAuth::grants_changed() {
  Known known;
  for (const auto& grant : grants_.all()) {
    if (grant->grant.uninstalled()) {
      tokens_.drop_made_by(grant->grant.id);
      continue;
    }
    if (grant->grant.kind == GrantKind::Company)
      known.agencies = true;
    else if (!grant->grant.subject.empty())
      known.locations.insert(grant->grant.subject);
  }
  bool news = false;
  {
    const Lock lock(mutex_);
    news = known != known_;
    known_ = std::move(known);
  }
  if (news) on_known_();
  publish();
  changed_.notify();
}

OAuth::Known OAuth::known() const {
  const Lock lock(mutex_);
  return known_;
}

bool OAuth::knows(std::string_view location) const {
  const Lock lock(mutex_);
  return !location.empty() && (known_.agencies || known_.locations.contains(location));
}

OAuth::Report OAuth::report() const {
  const Lock lock(mutex_);
  return report_;
}

std::string OAuth::why_ended(const GrantState& grant) const {
  return "The upstream refused the refresh token of " + grant.name() + " (" + grant.grant.ended +
         "), so this credential alone has stopped. An operator must authorise the app anew: run `contacts-gateway "
         "authorize`, or set credentials.oauth.refresh_token to a new one and send SIGHUP.";
}

std::string OAuth::trouble_of(const std::string& location) const {
  if (!grants_.trouble().empty()) return "The token store cannot be used: " + grants_.trouble() + ".";
  if (const auto trouble = tokens_.trouble(location); !trouble.empty())
    return "No token could be made for this location (" + trouble + ").";
  for (const auto& grant : grants_.all())
    if (!grant->trouble.empty()) return "The access token could not be renewed (" + grant->trouble + ").";
  return "The access token is being renewed.";
}

std::vector<std::string> OAuth::troubles() const {
  constexpr std::size_t kMost = 20;
  std::vector<std::string> troubles;
  if (!grants_.trouble().empty()) troubles.push_back(grants_.trouble());
  const auto views = grants_.views();
  for (std::size_t i = 0; i < views.size() && troubles.size() < kMost; ++i) {
    const auto& grant = *grants_.all()[i];
    const bool replaced = std::any_of(views.begin(), views.end(), [&](const auto& other) {
      return !other.ended && other.kind == views[i].kind && other.subject == views[i].subject;
    });
    if (views[i].ended && !views[i].gone && !replaced) troubles.push_back(why_ended(grant));
    if (views[i].live && views[i].subject.empty()) troubles.push_back(grant.why_unnamed());
    if (!views[i].ended && !grant.trouble.empty())
      troubles.push_back("the token of " + grant.name() + " could not be renewed: " + grant.trouble);
  }
  return troubles;
}

// A label for each location is bounded: the ones that end first by name, the others together.
void OAuth::publish() {
  constexpr std::size_t kMost = 100;
  Report report;
  for (const auto& grant : grants_.all())
    if (grant->access) report.expiries.push_back({grant->name(), grant->grant.times.expires});
  tokens_.append_expiries(report.expiries);
  std::sort(report.expiries.begin(), report.expiries.end(),
            [](const auto& a, const auto& b) { return a.expires < b.expires; });
  if (report.expiries.size() > kMost) {
    report.expiries[kMost].location = "other";
    report.expiries.resize(kMost + 1);
  }
  const auto views = grants_.views();
  report.any_usable = std::any_of(views.begin(), views.end(), [](const auto& view) { return view.live; });
  report.troubles = troubles();
  const Lock lock(mutex_);
  report_ = std::move(report);
}

}  // namespace gateway::credentials
