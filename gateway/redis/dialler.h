// Finds the server of a Url and brings a connection to the point where commands may be sent: names resolved, Sentinel
// asked, AUTH, SELECT, and INFO read to see that it is a master with its data loaded. One io_context thread.
#pragma once

#include "gateway/redis/connection.h"

namespace gateway::redis {

struct Ready {
  std::shared_ptr<Connection> connection;
  std::string run_id;
};
// Or why not: one line, never a secret.
using Dialled = std::variant<Ready, std::string>;

class Dialler {
 public:
  Dialler(asio::io_context& io, std::shared_ptr<const Options> options);

  // Every step within Options::connect_timeout.
  static asio::awaitable<Dialled> dial(std::shared_ptr<Dialler> self);

 private:
  using Opened = std::variant<std::shared_ptr<Connection>, std::string>;
  using Found = std::variant<Endpoint, std::string>;
  using Credentials = std::pair<std::string, std::string>;

  static asio::awaitable<Opened> open(std::shared_ptr<Dialler> self, Endpoint endpoint, Credentials credentials);
  static asio::awaitable<Found> ask_sentinels(std::shared_ptr<Dialler> self);
  static asio::awaitable<Found> ask_sentinel(std::shared_ptr<Dialler> self, Endpoint sentinel);
  static asio::awaitable<Dialled> dial_master(std::shared_ptr<Dialler> self, Endpoint master);

  asio::io_context& io_;
  std::shared_ptr<const Options> options_;
  std::vector<Endpoint> sentinels_;  // the one that answered last comes first
};

}  // namespace gateway::redis
