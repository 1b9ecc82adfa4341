#include "gateway/credentials/location_tokens.h"

#include <asio/co_spawn.hpp>
#include <utility>

#include "gateway/clock.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/random.h"

namespace gateway::credentials {

using policies::WallMillis;
using std::chrono::milliseconds;

namespace {
constexpr std::size_t kMost = 10'000;
constexpr milliseconds kRefusedFor{30'000};  // a location that was just installed is not refused for longer
constexpr int kDoubted = 2;                  // a 400 may be a passing fault: so often it is not believed
constexpr milliseconds kCompanyWithin{10'000};
std::string_view view(const std::string& text) { return text; }
}  // namespace

LocationTokens::LocationTokens(asio::io_context& io, Grants& grants, TokenEndpoint& endpoint, std::string version,
                               std::function<void(std::string_view)> count, std::function<void()> changed)
    : io_(io),
      grants_(grants),
      endpoint_(endpoint),
      version_(std::move(version)),
      count_(std::move(count)),
      changed_(std::move(changed)) {}

AccessPtr LocationTokens::held(const std::string& location) {
  const auto found = tokens_.find(location);
  if (found == tokens_.end()) return nullptr;
  const auto& token = found->second;
  const auto now = wall_now();
  if (!token->access || token->refused || !policies::usable(token->times, now)) return nullptr;
  if (now >= policies::renew_at(token->times, token->jitter)) want(location);
  return token->access;
}

void LocationTokens::want(const std::string& location) {
  const auto& token = entry(location);
  if (token->making || wall_now() < token->not_before) return;
  token->making = true;
  asio::co_spawn(io_, make(location, token), [this, token](const std::exception_ptr& error) {
    token->making = false;
    if (error) {
      token->trouble = "the gateway failed";
      token->not_before = wall_now() + milliseconds{1'000};
      log::failure("location_token_failed", error);
    }
    changed_();
  });
}

bool LocationTokens::refused(const std::string& location) const {
  const auto found = tokens_.find(location);
  return found != tokens_.end() && found->second->none && !found->second->making &&
         wall_now() < found->second->not_before;
}

std::string LocationTokens::trouble(const std::string& location) const {
  const auto found = tokens_.find(location);
  return found == tokens_.end() ? std::string() : found->second->trouble;
}

bool LocationTokens::refuse(const std::string& location, const AccessPtr& access) {
  const auto& token = entry(location);
  if (token->access != access) return true;
  if (token->refused) return true;
  const auto now = std::chrono::duration_cast<policies::Instant>(Clock::now().time_since_epoch());
  if (!token->forced.admit(access->accepted, now)) return false;
  token->refused = true;
  token->not_before = WallMillis{0};
  want(location);
  return true;
}

void LocationTokens::drop(const std::string& location) {
  tokens_.erase(location);
  changed_();
}

void LocationTokens::drop_made_by(const std::string& company_id) {
  std::erase_if(tokens_, [&](const auto& item) { return item.second->made_by == company_id; });
}

bool LocationTokens::holds(const std::string& location, const AccessPtr& access) const {
  const auto found = tokens_.find(location);
  return found != tokens_.end() && found->second->access == access;
}

void LocationTokens::append_expiries(std::vector<Expiry>& expiries) const {
  for (const auto& [location, token] : tokens_)
    if (token->access) expiries.push_back({location, token->times.expires});
}

const LocationTokens::TokenPtr& LocationTokens::entry(const std::string& location) {
  if (tokens_.size() >= kMost && !tokens_.contains(location)) forget_old();
  auto& token = tokens_[location];
  if (!token) token = std::make_shared<Token>();
  return token;
}

// Forgets tokens that are of no use now; if that is not enough, any: a token is made again when it is asked for.
void LocationTokens::forget_old() {
  const auto now = wall_now();
  std::erase_if(tokens_, [now](const auto& item) {
    return !item.second->making && !policies::usable(item.second->times, now) && item.second->not_before < now;
  });
  for (auto at = tokens_.begin(); at != tokens_.end() && tokens_.size() >= kMost;)
    at = at->second->making ? std::next(at) : tokens_.erase(at);
}

asio::awaitable<void> LocationTokens::make(std::string location, TokenPtr token) {
  bool passing = false;
  std::vector<GrantPtr> companies;
  for (const auto& grant : grants_.all())
    if (grant->grant.kind == policies::GrantKind::Company && grant->grant.ended.empty()) companies.push_back(grant);
  for (const auto& company : companies) {
    const auto result = co_await make_with(company, location, token);
    if (result == Result::Made) co_return;
    passing = passing || result == Result::Passing;
  }
  token->none = !passing;
  const bool lives = !std::exchange(token->refused, false) && policies::usable(token->times, wall_now());
  ++token->failures;
  token->not_before =
      wall_now() + (passing ? policies::renewal_pause(token->failures, token->times, random_unit()) : kRefusedFor);
  if (token->none && !lives) token->access = nullptr;
  count_(passing ? "location_failed" : "location_refused");
  log::warn(passing ? "location_token_failed" : "location_token_refused",
            {{"location", view(location)}, {"why", view(token->trouble)}});
}

asio::awaitable<LocationTokens::Result> LocationTokens::make_with(GrantPtr company, std::string location,
                                                                  TokenPtr token) {
  constexpr int kTries = 2;  // the second one with a token that was renewed because of the first
  for (int tries = 0; tries < kTries; ++tries) {
    const auto access = co_await access_of(company);
    if (!access) {
      token->trouble = "the agency's own token is being renewed: " + company->trouble;
      co_return Result::Passing;
    }
    const auto asked = wall_now();
    auto made = co_await endpoint_.location_token(company->grant.subject, location, access->authorization, version_);
    access->accepted = access->accepted || !made.token_refused;
    token->trouble = endpoint_.failure();
    if (company->grant.uninstalled()) co_return Result::Refused;  // meanwhile
    if (auto* pair = std::get_if<policies::TokenPair>(&made.answer)) {
      token->made_by = company->grant.id;
      token->access = std::make_shared<Access>(std::move(pair->access_token));
      token->times = {asked, asked + pair->life};
      token->jitter = random_unit();
      token->refused = token->none = false;
      token->failures = 0;
      token->trouble.clear();
      count_("location_made");
      log::debug("location_token_made", {{"location", view(location)}, {"by", view(company->name())}});
      co_return Result::Made;
    }
    if (made.token_refused && grants_.refuse(company, access)) continue;
    if (std::holds_alternative<policies::GrantRefused>(made.answer)) co_return Result::Refused;
    using Reason = policies::TokenFault::Reason;
    const auto reason = std::get<policies::TokenFault>(made.answer).reason;
    const bool believed = reason == Reason::Refused && token->failures >= kDoubted;
    co_return believed || reason == Reason::ClientRefused ? Result::Refused : Result::Passing;
  }
  co_return Result::Passing;
}

asio::awaitable<AccessPtr> LocationTokens::access_of(GrantPtr company) {
  const auto deadline = Clock::now() + kCompanyWithin;
  for (;;) {
    if (company->access && !company->refused && policies::usable(company->grant.times, wall_now()))
      co_return company->access;
    if (!company->grant.ended.empty() || Clock::now() >= deadline) co_return nullptr;
    constexpr milliseconds kLookEvery{50};
    co_await company->kick.wait(std::min(Clock::now() + kLookEvery, deadline));
  }
}

}  // namespace gateway::credentials
