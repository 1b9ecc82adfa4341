// `GET /gateway/contacts/{contactId}/record?include=notes,tasks,appointments`: a contact with its parts, fetched side
// by side, each as its own operation would be: from the cache, a flight under way or upstream, within the limits. The
// contact's own refusal is passed on as it is; a part's is named in the record and hides nothing else. Outlives every
// coroutine it starts.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <memory>

#include "gateway/exchange/calls.h"
#include "gateway/exchange/own_paths.h"
#include "policies/record.h"

namespace gateway::records {

class WholeRecord {
 public:
  WholeRecord(asio::io_context& io, const exchange::Calls& calls) : io_(io), calls_(calls) {}

  // On the connection's worker, inside on_request.
  void serve(const std::shared_ptr<exchange::OwnRequest>& request);

 private:
  asio::awaitable<void> run(std::shared_ptr<exchange::OwnRequest> request, policies::Parts parts);
  asio::awaitable<server::Response> answer(std::shared_ptr<exchange::OwnRequest> request, policies::Parts parts);

  asio::io_context& io_;
  const exchange::Calls& calls_;
};

// A request for parts that do not exist, as 400.
server::Response unknown_part(const policies::UnknownPart& part);

}  // namespace gateway::records
