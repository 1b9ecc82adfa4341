#include "gateway/cli/connect.h"

#include <time.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <ostream>
#include <string>

#include "gateway/cli/connect_parts.h"
#include "gateway/upstream/client.h"

namespace gateway::cli {

namespace {

// A clock further off than this spoils token expiry and webhook replay checks.
constexpr std::chrono::seconds kClockTolerance{60};

struct Trial {
  std::string name;      // "credentials.token"
  std::string location;  // empty: the token says
  config::Secret token;
  std::string more;  // what is known of it beside
};

std::vector<Trial> trials(const config::Settings& settings, Findings& findings) {
  std::vector<Trial> all;
  if (!settings.credentials.token.empty()) all.push_back({"credentials.token", "", settings.credentials.token, {}});
  for (const auto& [location, token] : settings.credentials.locations)
    all.push_back({"credentials.locations." + location + ".token", location, token, {}});
  for (auto& stored : stored_tokens(settings, findings))
    all.push_back(
        {std::move(stored.name), std::move(stored.location), std::move(stored.token), std::move(stored.more)});
  if (all.empty()) all.push_back({"upstream", {}, {}, {}});  // whether it is there can be told without a token
  return all;
}

upstream::Outcome send(upstream::Client& client, asio::io_context& io, upstream::Request request) {
  std::optional<upstream::Outcome> outcome;
  asio::co_spawn(io, client.send(std::move(request)), [&outcome](std::exception_ptr failure, upstream::Outcome result) {
    if (failure) std::rethrow_exception(failure);
    outcome = std::move(result);
  });
  io.restart();
  while (!outcome && io.run_one() > 0) {
  }
  return outcome.value();
}

upstream::Request contact_list(const config::Settings& settings, const Trial& trial) {
  upstream::Request request;
  request.method = "GET";
  request.target = "/contacts/?limit=1" + (trial.location.empty() ? "" : "&locationId=" + trial.location);
  request.fields = {{"Version", settings.upstream.version}, {"Accept", "application/json"}};
  if (!trial.token.empty()) request.fields.add("Authorization", "Bearer " + trial.token.value);
  return request;
}

std::string field(const upstream::Response& response, std::string_view name) {
  return std::string(response.fields.find(name).value_or("?"));
}

// 400 and 422 complain about the request (a token for every location names none), so the token was let in.
bool let_in(int status) { return status < 500 && status != 401 && status != 403 && status != 404; }

std::string meaning(int status) {
  if (status == 401) return "refused: the token is wrong or has ended, or upstream.version is not known there";
  if (status == 403) return "refused: the token lacks the scope contacts.readonly, or is not for this location";
  if (status == 404) return "nothing is there: upstream.url is not the API's base URL";
  if (status >= 500) return "the upstream is failing";
  return status == 429 ? "accepted, and its rate limit is used up" : "accepted";
}

void tell_rate(const upstream::Response& response, Findings& findings) {
  if (!response.fields.find("X-RateLimit-Remaining")) return;
  findings.well("rate limit", field(response, "X-RateLimit-Remaining") + " of " + field(response, "X-RateLimit-Max") +
                                  " left in " + field(response, "X-RateLimit-Interval-Milliseconds") + " ms, " +
                                  field(response, "X-RateLimit-Daily-Remaining") + " of " +
                                  field(response, "X-RateLimit-Limit-Daily") + " today");
}

void tell_clock(const upstream::Response& response, Findings& findings) {
  const auto ahead = clock_difference(response.fields.find("Date").value_or(""), std::chrono::system_clock::now());
  if (!ahead) return;
  const auto said = "the upstream's is " + std::to_string(ahead->count()) + " s ahead";
  if (std::chrono::abs(*ahead) <= kClockTolerance)
    findings.well("clock", said);
  else
    findings.failed(kFailed, "clock", said + "; set this machine's clock");
}

void tell_token(const Trial& trial, const upstream::Response& response, const std::string& version,
                Findings& findings) {
  const auto said = meaning(response.status) + " (status " + std::to_string(response.status) + ", Version " + version +
                    ")" + trial.more;
  if (let_in(response.status))
    findings.well(trial.name, said);
  else if (response.status == 401 && response.body.find("version header") != std::string::npos)
    findings.failed(kFailed, "upstream.version", "the upstream does not know the Version " + version);
  else
    findings.failed(response.status == 401 || response.status == 403 ? kCredential : kFailed, trial.name, said);
}

std::string way(const upstream::Outcome& outcome, int http_version) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(outcome.total).count();
  return "HTTP/" + std::string(http_version >= 20 ? "2" : "1.1") + " answer after " + std::to_string(ms) +
         " ms, connecting included";
}

// False where the upstream cannot be reached: more tokens would only wait for the same failure.
bool try_token(const config::Settings& settings, const Trial& trial, bool first, upstream::Client& client,
               asio::io_context& io, Findings& findings) {
  const upstream::Outcome outcome = send(client, io, contact_list(settings, trial));
  if (const auto* failed = std::get_if<upstream::Failed>(&outcome.result)) {
    findings.failed(kFailed, settings.upstream.url,
                    std::string(upstream::to_string(failed->failure)) + ": " + failed->detail);
    return false;
  }
  const auto& response = std::get<upstream::Response>(outcome.result);
  if (first) findings.well(settings.upstream.url, way(outcome, response.http_version));
  if (!trial.token.empty()) {
    tell_token(trial, response, settings.upstream.version, findings);
    tell_rate(response, findings);
  }
  if (first) tell_clock(response, findings);
  return true;
}

}  // namespace

std::optional<std::chrono::seconds> clock_difference(std::string_view date, std::chrono::system_clock::time_point now) {
  std::tm parts{};
  const std::string text(date);
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end != '\0') return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::from_time_t(::timegm(&parts)) -
                                                          now);
}

ExitCode try_connections(const config::Settings& settings, std::ostream& out) {
  Findings findings(out);
  asio::io_context io;
  try {
    if (try_name_and_tls(settings, findings)) {
      upstream::Client client(io, {.base_url = settings.upstream.url,
                                   .timeout = settings.upstream.timeout,
                                   .connect_timeout = settings.upstream.connect_timeout,
                                   .ca_file = settings.upstream.ca_file});
      bool first = true;
      for (const Trial& trial : trials(settings, findings)) {
        if (!try_token(settings, trial, first, client, io, findings)) break;
        first = false;
      }
    }
  } catch (const std::exception& e) {
    findings.failed(kFailed, settings.upstream.url, e.what());
  }
  try_redis(settings, findings);
  const auto& keys = settings.webhooks.public_keys;
  if (keys.empty() && settings.webhooks.legacy_public_keys.empty())
    findings.note("webhooks.public_key", "none: webhooks are not taken");
  else
    findings.well("webhooks.public_key", std::to_string(keys.size()) + " for x-ghl-signature, " +
                                             std::to_string(settings.webhooks.legacy_public_keys.size()) +
                                             " for x-wh-signature");
  return findings.code();
}

}  // namespace gateway::cli
