// Redis over hiredis' async API on Asio: one connection, pipelined, rebuilt with backoff; RESP2. Everything runs on the
// io_context's single thread, and the client goes before its io_context does. A call that is cancelled or runs into its
// time limit answers at once; its late reply is dropped. While there is no connection, calls fail at once; who must
// not wait for a server that stands still asks silent() first.
// A connection is given up and dialled anew when it breaks, when replies stay away for `stall_timeout`, when the server
// answers what is not RESP2 or too much of it, and when it says READONLY (it became a replica).
// Names are resolved by Asio (hiredis would block); Sentinel answers are asked anew for each connection.
// The process ignores SIGPIPE from the first client on: hiredis writes with write(2).
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

// No reply. `NotConnected`: nothing was sent (no connection, or its send buffer is full). Otherwise the command may
// have been executed all the same.
struct Unavailable {
  enum class Reason { NotConnected, Timeout, ConnectionLost, Cancelled } reason;
};
using Result = std::variant<Value, Unavailable>;

// A Lua script, sent by EVALSHA, loaded again when the server does not know it (NOSCRIPT after a restart).
std::string sha1_hex(std::string_view text);

struct Script {
  std::string name;  // for the metric label: "lookup"
  std::string source;
  std::string sha1 = sha1_hex(source);
};

struct Status {
  bool up = false;
  std::string run_id;  // of the server we talk to, read on every connect (INFO server)
  std::uint64_t connects = 0;
  std::uint64_t failed_dials = 0;
  std::string error;  // why it is not up, of the last attempt: one line, never a secret; empty while up
};

struct Options {
  Url url;
  std::chrono::milliseconds timeout{50};  // for one command
  std::chrono::milliseconds connect_timeout{
      1'000};                                      // for resolving; then for each address: connect, AUTH, SELECT, INFO
  std::chrono::milliseconds stall_timeout{1'000};  // commands outstanding and not one reply for so long: dial anew
  std::chrono::milliseconds backoff_min{20}, backoff_max{2'000};  // doubles; each wait is between half of it and all
  std::size_t max_reply_bytes = 64 << 20;                         // a longer reply ends the connection
  std::size_t max_unsent_bytes = 64 << 20;                        // what a stalled server may make us hold
  std::function<void(std::string_view command, std::chrono::nanoseconds)> on_command;  // metrics; may be empty
  std::function<void(const Status&)> on_status;  // called on every change of `up` or `error`
};

class Call;
class Words;

class Client {
 public:
  Client(asio::io_context& io, Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void start();  // connects in the background and stays connected
  void stop();   // for good; outstanding calls answer ConnectionLost, no callback runs any more
  const Status& status() const;
  std::chrono::milliseconds timeout() const;  // options.timeout
  // Connected, a command ran into its time limit, and not a byte had come for options.timeout: what is sent now will
  // hardly be answered in time. Over with the next byte, be it of a late reply.
  bool silent() const;

  // Whether there is a connection now or within `limit`.
  asio::awaitable<bool> connected(std::chrono::milliseconds limit);

  // `limit` 0: options.timeout. Commands that change what a connection is (SUBSCRIBE, MONITOR, QUIT …) and blocking
  // ones do not belong on a shared connection: the former are answered with an Error, the latter hold up everything.
  asio::awaitable<Result> command(std::vector<std::string> arguments, std::chrono::milliseconds limit = {});
  asio::awaitable<Result> eval(std::shared_ptr<const Script> script, std::vector<std::string> keys,
                               std::vector<std::string> arguments, std::chrono::milliseconds limit = {});

  // Commands as call.h says, already in Redis' own words; `name` for the metric. `limit` as above, of all of them.
  void ask(std::string_view name, const Words& words, std::shared_ptr<Call> call, std::chrono::milliseconds limit = {});

  // A subscription on a connection of its own, until stop(). Each time it is established, the first included,
  // `on_message` is called with an empty channel: messages before that moment may have been missed.
  void subscribe(std::vector<std::string> channels,
                 std::function<void(std::string_view channel, std::string_view message)> on_message);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::redis
