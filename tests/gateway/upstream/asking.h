// A Client with its own io_context, asked from a test's thread.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "gateway/upstream/client.h"
#include "tests/gateway/upstream/raw_server.h"

namespace tests {

struct Asking {
  explicit Asking(const std::string& url) : Asking(gateway::upstream::Options{.base_url = url}) {}
  explicit Asking(gateway::upstream::Options options) : client(std::in_place, io, std::move(options)) {}

  // Runs the loop until all are answered; answers in the order of the requests.
  std::vector<gateway::upstream::Outcome> send_all(std::vector<gateway::upstream::Request> requests) {
    std::vector<gateway::upstream::Outcome> outcomes(requests.size());
    std::size_t left = requests.size();
    for (std::size_t i = 0; i < requests.size(); ++i)
      asio::co_spawn(io, client->send(std::move(requests[i])),
                     [&outcomes, &left, i](std::exception_ptr error, gateway::upstream::Outcome outcome) {
                       --left;
                       if (error) std::rethrow_exception(error);
                       outcomes[i] = std::move(outcome);
                     });
    io.restart();
    while (left > 0) io.run_one();
    return outcomes;
  }
  gateway::upstream::Outcome send(gateway::upstream::Request request) { return send_all({std::move(request)}).front(); }
  gateway::upstream::Outcome get(const std::string& target = "/") { return send({"GET", target, {}, nullptr, {}}); }

  asio::io_context io;
  std::optional<gateway::upstream::Client> client;  // goes before io
};

inline const gateway::upstream::Response* answer(const gateway::upstream::Outcome& outcome) {
  return std::get_if<gateway::upstream::Response>(&outcome.result);
}

// "reset", or "200" where there is an answer: for tables.
inline std::string verdict(const gateway::upstream::Outcome& outcome) {
  if (const auto* response = answer(outcome)) return std::to_string(response->status);
  return std::string(to_string(std::get<gateway::upstream::Failed>(outcome.result).failure));
}

inline std::string body_of(const gateway::upstream::Outcome& outcome) {
  const auto* response = answer(outcome);
  return response != nullptr ? response->body : verdict(outcome);
}

}  // namespace tests
