// `POST /oauth/token` and `POST /oauth/locationToken` at the upstream. Connections of its own: requests that wait for a
// token must not be in its way. Asio thread. One call is one attempt; repeating it is the caller's business, since a
// refresh token may be spent even where no answer came.
#pragma once

#include <asio/awaitable.hpp>

#include "gateway/config/settings.h"
#include "gateway/upstream/client.h"
#include "policies/token_answer.h"

namespace gateway::credentials {

class TokenEndpoint {
 public:
  TokenEndpoint(asio::io_context& io, const config::Settings& settings);

  asio::awaitable<policies::TokenAnswer> refresh(config::OAuthGrant client, config::Secret refresh_token);
  asio::awaitable<policies::TokenAnswer> exchange(config::OAuthGrant client, config::Secret code);

  struct Made {
    policies::TokenAnswer answer;
    bool token_refused = false;  // the company's own token is not accepted
  };
  // `authorization`: the company's.
  asio::awaitable<Made> location_token(std::string company, std::string location, std::string authorization,
                                       std::string version);

  std::string failure() const { return failure_; }  // of the last call without an answer: no secrets

 private:
  asio::awaitable<upstream::Outcome> post(std::string path, std::string form, policies::Fields fields);
  policies::TokenAnswer read(upstream::Outcome outcome);
  upstream::Client client_;
  std::string failure_;
};

// name=value, percent-encoded (application/x-www-form-urlencoded).
void append_form(std::string& form, std::string_view name, std::string_view value);

}  // namespace gateway::credentials
