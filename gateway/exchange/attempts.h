// The way to the upstream and back: credentials, a permit from the limiter, the try itself, and another one where that
// is safe. Asio thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <variant>

#include "gateway/credentials/credentials.h"
#include "gateway/exchange/refusal.h"
#include "gateway/exchange/request.h"
#include "gateway/metrics/metrics.h"
#include "gateway/upstream/client.h"

namespace gateway::exchange {

struct Refused {
  Refusal refusal = Refusal::Internal;
  std::string detail;
  std::optional<std::chrono::milliseconds> retry_after;
};

struct Attempted {
  std::variant<upstream::Response, Refused> result;
  bool sent = false;     // some try may have reached upstream
  bool unknown = false;  // the last one that did has no answer: it may still be applied
  int tries = 0;
  std::chrono::milliseconds waited{0};  // for permits
};

class Attempts {
 public:
  Attempts(upstream::Client& client, const credentials::Credentials& credentials, metrics::Metrics& metrics)
      : client_(client), credentials_(credentials), metrics_(metrics) {}

  // `validators`: fields that make the request conditional; empty: unconditional.
  asio::awaitable<Attempted> run(std::shared_ptr<const Request> request, policies::Fields validators);

 private:
  upstream::Client& client_;
  const credentials::Credentials& credentials_;
  metrics::Metrics& metrics_;
};

}  // namespace gateway::exchange
