// A tiny blocking HTTP/1.1 client for webhook deliveries: POST to an http:// URL over one kept connection. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace simulator {

struct Url {
  std::string host;
  std::string port = "80";
  std::string path = "/";
};
std::optional<Url> parse_url(std::string_view text);  // http:// only

class HttpPost {
 public:
  HttpPost() = default;
  ~HttpPost() { close(); }
  HttpPost(const HttpPost&) = delete;
  HttpPost& operator=(const HttpPost&) = delete;

  // The answer's status; 0 when none came within `limit` for each step.
  int post(const Url& url, const std::vector<std::pair<std::string, std::string>>& fields, const std::string& body,
           std::chrono::milliseconds limit);

 private:
  bool connect(const Url& url, std::chrono::milliseconds limit);
  bool send_all(const std::string& bytes);
  int read_answer();
  void close();

  int fd_ = -1;
  std::string peer_;
};

}  // namespace simulator
