#include "tests/simulator/http_post.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "tests/simulator/contact.h"

namespace simulator {

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  Url url;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    url.path = text.substr(slash);
    text = text.substr(0, slash);
  }
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos && text.back() != ']') {
    url.port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  if (text.empty() || url.port.empty()) return std::nullopt;
  url.host = text;
  return url;
}

int HttpPost::post(const Url& url, const std::vector<std::pair<std::string, std::string>>& fields,
                   const std::string& body, std::chrono::milliseconds limit) {
  std::string request = "POST " + url.path + " HTTP/1.1\r\nHost: " + url.host + ":" + url.port +
                        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : fields) request.append(name).append(": ").append(value).append("\r\n");
  request.append("\r\n").append(body);
  const bool kept = fd_ >= 0 && peer_ == url.host + ":" + url.port;
  if (!kept && !connect(url, limit)) return 0;
  int status = send_all(request) ? read_answer() : 0;
  if (status == 0 && kept) {
    // The receiver may have closed the kept connection meanwhile; a delivery may come twice, as the vendor's do.
    status = connect(url, limit) && send_all(request) ? read_answer() : 0;
  }
  if (status == 0) close();
  return status;
}

bool HttpPost::connect(const Url& url, std::chrono::milliseconds limit) {
  close();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    fd_ = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) continue;
    const timeval wait{limit.count() / 1000, limit.count() % 1000 * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);  // for connect() too
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, address->ai_addr, address->ai_addrlen) == 0) {
      peer_ = url.host + ":" + url.port;
      return true;
    }
    close();
  }
  return false;
}

bool HttpPost::send_all(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

// Reads one answer whole where it names its length; anything else ends the connection after its head.
int HttpPost::read_answer() {
  std::string bytes;
  std::size_t head = std::string::npos;
  while ((head = bytes.find("\r\n\r\n")) == std::string::npos && bytes.size() < 65'536) {
    char chunk[4096];
    const ssize_t count = recv(fd_, chunk, sizeof chunk, 0);
    if (count <= 0) return 0;
    bytes.append(chunk, static_cast<std::size_t>(count));
  }
  if (head == std::string::npos || bytes.size() < 12) return 0;
  const int status = std::atoi(bytes.c_str() + 9);
  const std::string fields = lower_case(std::string_view(bytes).substr(0, head + 2));
  const auto length_at = fields.find("\r\ncontent-length:");
  if (length_at == std::string::npos || fields.find("\r\nconnection: close") != std::string::npos) {
    close();
    return status;
  }
  const std::size_t whole = head + 4 + static_cast<std::size_t>(std::atoll(fields.c_str() + length_at + 17));
  while (bytes.size() < whole) {
    char chunk[4096];
    const ssize_t count = recv(fd_, chunk, sizeof chunk, 0);
    if (count <= 0) break;
    bytes.append(chunk, static_cast<std::size_t>(count));
  }
  if (bytes.size() != whole) close();
  return status;
}

void HttpPost::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace simulator
