#include "tests/support/collector.h"

#include <arpa/inet.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "tests/support/loopback.h"

namespace test_support {
namespace {

constexpr int kStepMs = 10;

bool readable(int socket, const std::atomic<bool>& ending) {
  pollfd waiting{socket, POLLIN, 0};
  while (!ending)
    if (::poll(&waiting, 1, kStepMs) > 0) return true;
  return false;
}

std::size_t length_of(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
}

}  // namespace

Collector::Collector() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "collector");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Collector::~Collector() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
}

// One connection at a time: the sender under test keeps one.
void Collector::run() {
  while (readable(listener_, ending_)) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    serve(socket);
    ::close(socket);
  }
}

void Collector::serve(int socket) {
  std::string received;
  while (readable(socket, ending_)) {
    char buffer[64 * 1024];
    const auto size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size <= 0) return;
    received.append(buffer, static_cast<std::size_t>(size));
    const auto end = received.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t length = length_of(received.substr(0, end));
    if (received.size() < end + 4 + length) continue;
    int status = 0;
    std::string fields, body;
    {
      const std::lock_guard lock(mutex_);
      status = status_;
      fields = fields_;
      requests_.push_back({received.substr(0, end), received.substr(end + 4, length)});
      body = body_of_ ? body_of_(requests_.back()) : body_;
      if (status == 200) taken_.push_back(requests_.back());
    }
    const bool head_only = received.starts_with("HEAD ");
    received.erase(0, end + 4 + length);
    if (status == 0) continue;
    const std::string answer = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields +
                               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + (head_only ? "" : body);
    if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  }
}

void Collector::answer(int status, const std::string& fields, const std::string& body) {
  const std::lock_guard lock(mutex_);
  status_ = status;
  fields_ = fields;
  body_ = body;
  body_of_ = nullptr;
}

void Collector::answer_with(std::function<std::string(const Request&)> body_of, const std::string& fields) {
  const std::lock_guard lock(mutex_);
  status_ = 200;
  fields_ = fields;
  body_of_ = std::move(body_of);
}

std::vector<Collector::Request> Collector::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> Collector::spans() const {
  std::vector<std::string> spans;
  const std::lock_guard lock(mutex_);
  for (const auto& request : taken_) {
    rapidjson::Document json;
    json.Parse(request.body.data(), request.body.size());
    if (json.HasParseError()) throw std::runtime_error("not JSON: " + request.body);
    for (const auto& span : json["resourceSpans"][0]["scopeSpans"][0]["spans"].GetArray()) {
      rapidjson::StringBuffer text;
      rapidjson::Writer<rapidjson::StringBuffer> writer(text);
      span.Accept(writer);
      spans.emplace_back(text.GetString(), text.GetSize());
    }
  }
  return spans;
}

}  // namespace test_support
