// Redis over hiredis' async API on Asio: one connection, pipelined, rebuilt with backoff; RESP2. Everything runs on the
// io_context's single thread. A call that is cancelled or runs into its time limit answers at once; its late reply is
// dropped. Names are resolved by Asio (hiredis would block); Sentinel answers are asked anew for each connection.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace asio {
class io_context;
}

namespace gateway::redis {

struct Endpoint {
  std::string host;
  std::uint16_t port = 6379;
};

// redis://[user:password@]host:port/db or redis+sentinel://[user:password@]host:port,host:port/name[/db]
struct Url {
  std::vector<Endpoint> endpoints;  // one, or the sentinels
  std::string master;               // Sentinel's name of the master; empty: a plain server
  std::string user, password;
  int database = 0;
};
Url parse_url(std::string_view text);  // throws std::invalid_argument; the message never holds the password

// One reply as RESP2 has it. `Error` is what the server said (OOM, READONLY, NOSCRIPT …).
struct Value;
using Array = std::vector<Value>;
struct Nil {
  bool operator==(const Nil&) const = default;
};
struct Error {
  std::string message;
};
struct Value {
  std::variant<Nil, std::int64_t, std::string, Array, Error> data;
};

// No reply: not connected, cut off, or not within the limit. The command may have been executed all the same.
struct Unavailable {
  enum class Reason { NotConnected, Timeout, ConnectionLost } reason;
};
using Result = std::variant<Value, Unavailable>;

// A Lua script, sent by EVALSHA, loaded again when the server does not know it (NOSCRIPT after a restart).
struct Script {
  std::string name;  // for the metric label: "lookup"
  std::string source;
};

struct Status {
  bool up = false;
  std::string run_id;  // of the server we talk to, read on every connect (INFO server)
  std::uint64_t connects = 0;
};

struct Options {
  Url url;
  std::chrono::milliseconds timeout{50};  // for one command
  std::chrono::milliseconds connect_timeout{1'000};
  std::chrono::milliseconds backoff_min{50}, backoff_max{2'000};
  std::function<void(std::string_view command, std::chrono::nanoseconds)> on_command;  // metrics; may be empty
  std::function<void(const Status&)> on_status;                                        // called on every change of `up`
};

class Client {
 public:
  Client(asio::io_context& io, Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void start();  // connects in the background and stays connected
  void stop();
  const Status& status() const;

  // `limit` 0: options.timeout.
  asio::awaitable<Result> command(std::vector<std::string> arguments, std::chrono::milliseconds limit = {});
  asio::awaitable<Result> eval(std::shared_ptr<const Script> script, std::vector<std::string> keys,
                               std::vector<std::string> arguments, std::chrono::milliseconds limit = {});

  // A subscription on a connection of its own, renewed after every reconnect (`on_message` is then called with an empty
  // channel first: messages may have been missed).
  void subscribe(std::vector<std::string> channels,
                 std::function<void(std::string_view channel, std::string_view message)> on_message);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::redis
