#include <openssl/rand.h>

#include <algorithm>
#include <istream>
#include <ostream>
#include <stdexcept>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/opened_store.h"
#include "gateway/cli/redirect.h"
#include "gateway/clock.h"
#include "gateway/credentials/grants.h"
#include "gateway/credentials/token_endpoint.h"

namespace gateway::cli {

namespace {

using policies::GrantKind;
using token_store::Grant;

std::string new_state() {
  unsigned char bytes[24];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("the system has no randomness to give");
  std::string text;
  for (const auto byte : bytes) text.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  return text;
}

const config::OAuthGrant& client_for(const config::Settings& settings, const std::string& wanted) {
  const auto& grants = settings.credentials.oauth.grants;
  if (grants.empty())
    throw std::invalid_argument(
        "no OAuth client is configured: set credentials.oauth.client_id, .client_secret, .redirect_uri and .store");
  const config::OAuthGrant* found = nullptr;
  for (const auto& grant : grants) {
    if (!wanted.empty() && grant.client_id != wanted) continue;
    if (found != nullptr && found->client_id != grant.client_id)
      throw std::invalid_argument("several OAuth clients are configured: choose one with --client-id");
    found = &grant;
  }
  if (found == nullptr) throw std::invalid_argument("no configured OAuth client has the id " + wanted);
  if (found->redirect_uri.empty())
    throw std::invalid_argument("credentials.oauth.redirect_uri: missing; the one that is registered with the app");
  return *found;
}

std::string install_url(const Authorization& request, const config::OAuthGrant& client, const std::string& state) {
  std::string query;
  credentials::append_form(query, "response_type", "code");
  credentials::append_form(query, "redirect_uri", client.redirect_uri);
  credentials::append_form(query, "client_id", client.client_id);
  credentials::append_form(query, "scope", request.scope);
  credentials::append_form(query, "state", state);
  return request.install_page + "?" + query;
}

config::Secret pasted(std::istream& in, std::ostream& out, const std::string& state) {
  out << "Paste the code, or the whole URL that the browser ended at: " << std::flush;
  std::string line;
  std::getline(in, line);
  constexpr const char* kBlank = " \t\r\n";  // a code copied from elsewhere often brings some
  line.erase(std::min(line.find_last_not_of(kBlank) + 1, line.size()));
  line.erase(0, std::min(line.find_first_not_of(kBlank), line.size()));
  auto code = code_in(line, state, false);
  std::fill(line.begin(), line.end(), '\0');
  if (const auto* bad = std::get_if<BadRedirect>(&code)) throw std::runtime_error("what was pasted: " + bad->why);
  return std::get<config::Secret>(std::move(code));
}

config::Secret code_from_browser(const Authorization& request, const config::OAuthGrant& client, std::istream& in,
                                 std::ostream& out) {
  const auto state = new_state();
  const auto here = request.paste ? std::nullopt : loopback_uri(client.redirect_uri);
  std::optional<RedirectListener> listener;
  if (here) listener.emplace(*here);  // before the URL is told
  out << "Open this page in a browser and choose the location or agency:\n\n  " << install_url(request, client, state)
      << "\n\n";
  if (!listener) return pasted(in, out, state);
  out << "Waiting for the browser at " << client.redirect_uri << " ..." << std::endl;
  auto code = listener->wait(state, std::chrono::seconds(request.wait_seconds));
  if (const auto* bad = std::get_if<BadRedirect>(&code))
    throw std::runtime_error("the redirect was not taken: " + bad->why);
  return std::get<config::Secret>(std::move(code));
}

Grant grant_of(policies::TokenPair pair, const config::OAuthGrant& client, policies::WallMillis asked) {
  Grant grant;
  grant.client_id = client.client_id;
  grant.kind = pair.kind.value_or(client.user_type == "Company" ? GrantKind::Company : GrantKind::Location);
  grant.subject = std::move(pair.subject);
  grant.access_token.value = std::move(pair.access_token);
  grant.refresh_token.value = std::move(pair.refresh_token);
  grant.times = {asked, asked + pair.life};
  grant.scope = std::move(pair.scope);
  return grant;
}

// The place of the grant that this one follows, or one of its own.
void place(Grant& grant, const std::vector<Grant>& stored) {
  grant.id = token_store::grant_id(grant.client_id, grant.kind, grant.subject);
  for (const auto& known : stored)
    if (known.client_id == grant.client_id && known.kind == grant.kind && known.subject == grant.subject) {
      grant.id = known.id;
      grant.seed = known.seed;
    }
  for (const auto& known : stored)
    if (known.id == grant.id) grant.version = std::max(grant.version, known.version);
  ++grant.version;
}

asio::awaitable<Grant> exchange(const config::Settings& settings, const config::OAuthGrant& client, config::Secret code,
                                asio::io_context& io) {
  credentials::TokenEndpoint endpoint(io, settings);
  const auto asked = wall_now();
  auto answer = co_await endpoint.exchange(client, std::move(code));
  if (std::holds_alternative<policies::GrantRefused>(answer))
    throw std::runtime_error(
        "the upstream refused the code (invalid_grant): it was used before, is too old, or is of "
        "another client or redirect_uri");
  if (const auto* fault = std::get_if<policies::TokenFault>(&answer))
    throw std::runtime_error("the code could not be exchanged (" + std::string(to_string(fault->reason)) + ", " +
                             endpoint.failure() + ")");
  auto& pair = std::get<policies::TokenPair>(answer);
  if (pair.refresh_token.empty()) throw std::runtime_error("the upstream's answer holds no refresh token");
  co_return grant_of(std::move(pair), client, asked);
}

asio::awaitable<void> keep(token_store::Store& store, Grant& grant) {
  constexpr int kTries = 5;  // another process may store the same grant meanwhile
  for (int tries = 0; tries < kTries; ++tries) {
    auto loaded = co_await store.load();
    if (const auto* failure = std::get_if<token_store::Failure>(&loaded)) throw std::runtime_error(failure->why);
    place(grant, std::get<std::vector<Grant>>(loaded));
    auto saved = co_await store.save(grant);
    if (std::holds_alternative<token_store::Saved>(saved)) co_return;
    if (const auto* failure = std::get_if<token_store::Failure>(&saved)) throw std::runtime_error(failure->why);
  }
  throw std::runtime_error("the token store is changed by somebody else all the time; try again");
}

}  // namespace

int authorize(const config::Inputs& inputs, const Authorization& request, std::istream& in, std::ostream& out,
              std::ostream& errors) try {
  const auto loaded = load_settings(inputs, true, errors);
  if (!loaded) return kInvalid;
  const auto& settings = *loaded->settings;
  const auto& client = client_for(settings, request.client_id);
  OpenedStore opened(settings);  // before the browser is sent away: a code that cannot be kept would be lost
  auto code = code_from_browser(request, client, in, out);
  Grant grant;
  opened.run([&]() -> asio::awaitable<void> {
    grant = co_await exchange(settings, client, std::move(code), opened.io());
    co_await keep(opened.store(), grant);
  });
  out << "Stored. The tokens are good for "
      << (grant.kind == GrantKind::Company ? "the locations of the agency " : "the location ")
      << (grant.subject.empty() ? "that was chosen" : grant.subject) << " (scopes: " << grant.scope
      << "). A gateway that runs with this store has them already.\n";
  if (grant.subject.empty())
    out << "The upstream did not say which one that is: set credentials.oauth.location to its id, else requests that "
           "name "
           "it get no token.\n";
  return kDone;
} catch (const std::invalid_argument& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kInvalid;
} catch (const std::runtime_error& e) {
  errors << "contacts-gateway: " << e.what() << '\n';
  return kFailed;
}

}  // namespace gateway::cli
