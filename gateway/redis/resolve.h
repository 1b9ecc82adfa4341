// Names to addresses without blocking the loop. getaddrinfo cannot be stopped: past the limit its answer is abandoned.
#pragma once

#include <asio/ip/tcp.hpp>

#include "gateway/redis/client.h"
#include "gateway/redis/event.h"

namespace gateway::redis {

// Empty: no such name, or no answer by `deadline`. Numeric addresses, IPv6 too, need no resolver.
asio::awaitable<std::vector<asio::ip::tcp::endpoint>> resolve(asio::io_context& io, Endpoint endpoint,
                                                              Clock::time_point deadline);

}  // namespace gateway::redis
