// That the app was installed for a location, or taken away: told by the replica that got the webhook to all that share
// the Redis, because each keeps the tokens that agencies make for itself. Each message is also kept in a stream
// (`cg:oauth:installations`, a day and an hour: no access token lives longer), and whoever has just subscribed, after
// it was cut off among others, reads there what it may have missed. What is heard twice only makes a token anew.
// Without Redis there is nobody to tell. Asio thread only; `redis` outlives it.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/redis/client.h"

namespace gateway::credentials {

class InstallationNews {
 public:
  InstallationNews(asio::io_context& io, redis::Client* redis);  // null: none
  ~InstallationNews();

  // `on_news`: another replica told so; what is known of this location's tokens is of before.
  void start(std::function<void(const std::string& location)> on_news);
  void stop();

  // False: Redis is away, and nobody was told.
  asio::awaitable<bool> tell(std::string location);

 private:
  struct Ear;
  static asio::awaitable<bool> read_on(redis::Client& redis, std::shared_ptr<Ear> ear);
  static asio::awaitable<void> catch_up(redis::Client& redis, std::shared_ptr<Ear> ear);

  asio::io_context& io_;
  redis::Client* redis_;
  std::shared_ptr<Ear> ear_;  // shared with the subscription, deaf after stop()
};

}  // namespace gateway::credentials
