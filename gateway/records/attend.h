// From a worker that got a request for one of the gateway's own paths to a coroutine on the Asio thread that answers
// it.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "gateway/exchange/own_paths.h"

namespace gateway::records {

// Runs what `work` makes on the Asio thread until it ends or the client of `request` leaves, which cancels it and
// counts as 499. It answers for itself; what else it throws is logged, and answered where nothing was yet. On the
// connection's worker, inside on_request.
void attend(asio::io_context& io, const std::shared_ptr<exchange::OwnRequest>& request,
            std::function<asio::awaitable<void>()> work);

}  // namespace gateway::records
