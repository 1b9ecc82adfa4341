// The store that credentials.oauth.store names: a file or Redis. Made at the start, before the Asio thread runs.
#pragma once

#include <memory>

#include "gateway/config/settings.h"
#include "gateway/redis/client.h"
#include "gateway/token_store/store.h"

namespace gateway::token_store {

// `redis`: null where none is configured; outlives the store. `owner`: a gateway that uses a file for as long as it
// lives. Throws std::runtime_error, in words for an operator, when a file cannot be used.
std::unique_ptr<Store> open_store(asio::io_context& io, const config::Settings& settings, redis::Client* redis,
                                  bool owner);

}  // namespace gateway::token_store
