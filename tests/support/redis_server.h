// A redis-server (or, with "--sentinel", a sentinel) of a test's own, on a free loopback port, in a temporary folder
// that goes with it. Needs `redis-server` in PATH. Not for use by several threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace test_support {

std::uint16_t free_port();

class RedisServer {
 public:
  struct Options {
    std::vector<std::string> arguments;  // after ours: {"--requirepass", "secret"}
    std::string config;                  // becomes the file that is given first (a sentinel must have one); empty: none
    std::vector<std::string> auth;       // what AUTH takes, for PING and command(): {"user", "password"}
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one
  };

  RedisServer() : RedisServer(Options{}) {}
  explicit RedisServer(Options options);  // ready: PING was answered; throws std::runtime_error otherwise
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return process_ ? process_->pid() : -1; }
  std::string url(const std::string& userinfo = {}, int database = 0) const;  // userinfo: "user:password@"

  void pause();   // SIGSTOP; returns when it has stopped
  void resume();  // SIGCONT
  void kill();    // SIGKILL and waited for; nothing where it is not running
  void start();   // again on the same port, ready when this returns
  void restart() { kill(), start(); }

  // One command over a connection of its own; the raw RESP2 reply ("+OK\r\n"). Throws where it is not answered in
  // `limit`.
  std::string command(const std::vector<std::string>& arguments,
                      std::chrono::milliseconds limit = std::chrono::seconds(5)) const;

 private:
  bool answers(std::chrono::milliseconds limit) const;
  std::vector<std::string> command_line() const;

  Options options_;
  std::uint16_t port_;
  TempDir folder_;
  std::optional<Process> process_;
};

}  // namespace test_support
