// Whether the server's user may do all that the gateway does: what it lacks shows elsewhere only as writes that take
// three seconds, or as a cache that keeps nothing. Tried on keys and with messages that nobody else looks at, over
// connections of its own. The io_context's thread; goes before the io_context does.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "gateway/redis/client.h"

namespace gateway::redis {

class Rights {
 public:
  Rights(asio::io_context& io, Url url) : io_(io), url_(std::move(url)) {}

  // One sentence, with Redis' own words where it has some; empty: nothing is missing, or it cannot be reached now. One
  // at a time.
  asio::awaitable<std::string> missing();

 private:
  asio::awaitable<std::string> refused();
  asio::awaitable<bool> hears();

  asio::io_context& io_;
  const Url url_;
  std::unique_ptr<Client> client_;  // null: nobody asks
};

}  // namespace gateway::redis
