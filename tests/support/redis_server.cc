#include "tests/support/redis_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/loopback.h"

namespace test_support {
namespace {

using Milliseconds = std::chrono::milliseconds;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string encoded(const std::vector<std::string>& arguments) {
  std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const auto& argument : arguments) out += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  return out;
}

// The end of the reply that begins at `at`, or npos while it is not complete.
std::size_t reply_end(const std::string& text, std::size_t at) {
  const auto line = text.find("\r\n", at);
  if (line == text.npos) return text.npos;
  const long count = std::atol(text.c_str() + at + 1);
  std::size_t end = line + 2;
  if (text[at] == '$' && count >= 0) return text.size() >= end + count + 2 ? end + count + 2 : text.npos;
  if (text[at] == '*')
    for (long i = 0; i < count && end != text.npos; ++i) end = end < text.size() ? reply_end(text, end) : text.npos;
  return end;
}

std::string read_reply(int fd, const Deadline& deadline) {
  std::string text;
  while (text.empty() || reply_end(text, 0) == text.npos) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(deadline.left().count())) <= 0)
      throw std::runtime_error("redis-server did not answer in time");
    char buffer[4096];
    const ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0) throw std::runtime_error("redis-server closed the connection");
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

std::uint16_t free_port() {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

RedisServer::RedisServer(Options options)
    : options_(std::move(options)), port_(options_.port != 0 ? options_.port : free_port()) {
  if (!options_.config.empty()) folder_.write("redis.conf", options_.config);
  start();
}

std::string RedisServer::url(const std::string& userinfo, int database) const {
  return "redis://" + userinfo + "127.0.0.1:" + std::to_string(port_) +
         (database != 0 ? "/" + std::to_string(database) : "");
}

std::vector<std::string> RedisServer::command_line() const {
  std::vector<std::string> line{"redis-server"};
  if (!options_.config.empty()) line.push_back(folder_.path() / "redis.conf");
  line.insert(line.end(), {"--port", std::to_string(port_), "--bind", options_.host, "--dir", folder_.path(), "--save",
                           "", "--appendonly", "no"});
  line.insert(line.end(), options_.arguments.begin(), options_.arguments.end());
  return line;
}

void RedisServer::start() {
  process_.emplace(ProcessOptions{.arguments = command_line()});
  const Deadline deadline(std::chrono::seconds(10));
  while (!answers(Milliseconds(1000))) {
    // What we wait for between two attempts is its end.
    if (!process_->wait_for_exit(Milliseconds(10)) && !deadline.passed()) continue;
    const std::string log = process_->output(Stream::Out) + process_->output(Stream::Error);
    process_.reset();
    throw std::runtime_error("redis-server did not come up: " + log);
  }
}

bool RedisServer::answers(Milliseconds limit) const {
  try {
    return command({"PING"}, limit).starts_with("+PONG");
  } catch (const std::runtime_error&) {
    return false;
  }
}

void RedisServer::pause() {
  if (!process_) return;
  process_->signal(SIGSTOP);
  siginfo_t stopped{};
  ::waitid(P_PID, static_cast<id_t>(pid()), &stopped, WSTOPPED);  // leaves its end to be waited for by Process
}

void RedisServer::resume() {
  if (process_) process_->signal(SIGCONT);
}

void RedisServer::kill() { process_.reset(); }

std::string RedisServer::command(const std::vector<std::string>& arguments, Milliseconds limit) const {
  const Deadline deadline(limit);
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port_);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("no connection to redis-server");
  const auto ask = [&](const std::vector<std::string>& words) {
    const std::string text = encoded(words);
    if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("redis-server took only a part of the command");
    return read_reply(socket.get(), deadline);
  };
  if (!options_.auth.empty()) {
    std::vector<std::string> auth{"AUTH"};
    auth.insert(auth.end(), options_.auth.begin(), options_.auth.end());
    ask(auth);
  }
  return ask(arguments);
}

}  // namespace test_support
