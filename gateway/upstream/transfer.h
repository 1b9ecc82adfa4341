// One easy handle and what a request needs beside it; used for one request after another, so that its fixed options are
// set once. One thread. A Transfer stays where it is while libcurl knows it: libcurl holds pointers into it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include "gateway/upstream/answer.h"
#include "gateway/upstream/base_url.h"
#include "gateway/upstream/client.h"
#include "gateway/upstream/multi.h"

namespace gateway::upstream {

// What all transfers of one client share; outlives them and their connections.
struct Common {
  Options options;
  BaseUrl base;
  Multi* multi = nullptr;
  CURLSH* share = nullptr;  // TLS sessions
  CURLU* origin = nullptr;  // base.origin, taken apart once and not for each request
};

class Transfer {
 public:
  explicit Transfer(const Common& common);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void begin(Request request);  // a sendable one (request_lines.h)
  Outcome end(CURLcode code);   // after libcurl let go of it
  void drop();                  // instead of end(): cancelled
  CURL* easy() const { return easy_.get(); }

 private:
  void set_fixed_options();
  void set_method(bool with_body);
  Failed failed(CURLcode code) const;

  // C calls these, and no exception may pass through it: where there is no memory left the transfer ends.
  static std::size_t on_line(char* text, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_bytes(char* text, std::size_t size, std::size_t count, void* self) noexcept;
  static int on_ready_to_send(void* self, char*, char*, int, int) noexcept;
  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept;
  static int on_close(void* multi, curl_socket_t descriptor) noexcept;

  const Common& common_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> lines_{nullptr, &curl_slist_free_all};
  Request request_;
  std::optional<Answer> answer_;
  bool ready_ = false;           // a connection was there and the request about to be written
  bool repeat_refused_ = false;  // libcurl wanted to write it once more
  std::chrono::steady_clock::time_point begun_;
  std::array<char, CURL_ERROR_SIZE> message_{};
};

}  // namespace gateway::upstream
