#include "gateway/credentials/token_endpoint.h"

#include <openssl/crypto.h>

#include "gateway/upstream/coding.h"
#include "policies/percent.h"

namespace gateway::credentials {

namespace {

upstream::Options options_of(const config::Settings& settings) {
  constexpr std::size_t kConnections = 8;
  upstream::Options options;
  options.base_url = settings.upstream.url;
  options.timeout = settings.upstream.timeout;
  options.connect_timeout = settings.upstream.connect_timeout;
  options.ca_file = settings.upstream.ca_file;
  options.connections = kConnections;
  return options;
}

// Wiped when the last one that sends it lets go.
std::shared_ptr<const std::string> wiped(std::string text) {
  return {new std::string(std::move(text)), [](std::string* secret) {
            OPENSSL_cleanse(secret->data(), secret->size());
            delete secret;
          }};
}

std::string client_form(const config::OAuthGrant& client, std::string_view grant_type) {
  std::string form;
  append_form(form, "client_id", client.client_id);
  append_form(form, "client_secret", client.client_secret.value);
  append_form(form, "grant_type", grant_type);
  append_form(form, "user_type", client.user_type);
  if (!client.redirect_uri.empty()) append_form(form, "redirect_uri", client.redirect_uri);
  return form;
}

}  // namespace

void append_form(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form.append(name).append("=");
  policies::append_word(form, value);
}

TokenEndpoint::TokenEndpoint(asio::io_context& io, const config::Settings& settings)
    : client_(io, options_of(settings)) {}

asio::awaitable<policies::TokenAnswer> TokenEndpoint::refresh(config::OAuthGrant client, config::Secret token) {
  std::string form = client_form(client, "refresh_token");
  append_form(form, "refresh_token", token.value);
  co_return read(co_await post("/oauth/token", std::move(form), {}));
}

asio::awaitable<policies::TokenAnswer> TokenEndpoint::exchange(config::OAuthGrant client, config::Secret code) {
  std::string form = client_form(client, "authorization_code");
  append_form(form, "code", code.value);
  co_return read(co_await post("/oauth/token", std::move(form), {}));
}

asio::awaitable<TokenEndpoint::Made> TokenEndpoint::location_token(std::string company, std::string location,
                                                                   std::string authorization, std::string version) {
  std::string form;
  append_form(form, "companyId", company);
  append_form(form, "locationId", location);
  policies::Fields fields;
  fields.add("Authorization", std::move(authorization));
  fields.add("Version", std::move(version));
  auto outcome = co_await post("/oauth/locationToken", std::move(form), std::move(fields));
  Made made;
  if (const auto* answer = std::get_if<upstream::Response>(&outcome.result))
    made.token_refused = policies::means_token_refused(answer->status, answer->body);
  made.answer = read(std::move(outcome));
  co_return made;
}

asio::awaitable<upstream::Outcome> TokenEndpoint::post(std::string path, std::string form, policies::Fields fields) {
  upstream::Request request;
  request.method = "POST";
  request.target = std::move(path);
  request.fields = std::move(fields);
  request.fields.add("Content-Type", "application/x-www-form-urlencoded");
  request.fields.add("Accept", "application/json");
  request.fields.add("Accept-Encoding", "identity");
  request.body = wiped(std::move(form));
  auto outcome = co_await client_.send(std::move(request));
  if (auto* answer = std::get_if<upstream::Response>(&outcome.result))
    if (auto plain = upstream::decoded(answer->fields, answer->body)) answer->body = std::move(*plain);
  co_return outcome;
}

policies::TokenAnswer TokenEndpoint::read(upstream::Outcome outcome) {
  if (const auto* failed = std::get_if<upstream::Failed>(&outcome.result)) {
    failure_ = std::string(upstream::to_string(failed->failure)) + ": " + failed->detail;
    return policies::TokenFault{policies::TokenFault::Reason::NoAnswer};
  }
  auto& answer = std::get<upstream::Response>(outcome.result);
  failure_ = "status " + std::to_string(answer.status);
  auto read = policies::read_token_answer(answer.status, answer.body);
  OPENSSL_cleanse(answer.body.data(), answer.body.size());
  if (const auto* fault = std::get_if<policies::TokenFault>(&read)) {
    if (fault->reason == policies::TokenFault::Reason::Unreadable) failure_ += ", and no access token in it";
    if (fault->reason == policies::TokenFault::Reason::Malformed)
      failure_ += ", but the access token holds a character that no field may hold";
  }
  return read;
}

}  // namespace gateway::credentials
