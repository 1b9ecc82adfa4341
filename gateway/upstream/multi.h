// libcurl's multi interface driven by Asio: its sockets are watched by the io_context's reactor, its one timer by a
// steady_timer, nothing is polled. Knows transfers only as easy handles.
//
// Threads: the io_context's single thread. Ownership: libcurl owns the sockets, this only watches them; easy handles
// belong to the caller and stay valid until `done` was called for them or remove() returned. No caller's code runs
// inside a libcurl callback: `done` is called after libcurl has returned and may call add() and remove().
#pragma once

#include <curl/curl.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <unordered_map>

#include "gateway/upstream/idle_connections.h"

namespace gateway::upstream {

class Multi : public std::enable_shared_from_this<Multi> {
 public:
  using Done = std::function<void(CURL*, CURLcode)>;

  Multi(asio::io_context& io, std::size_t connections, Done done);
  ~Multi();
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  bool add(CURL* easy);     // false where libcurl refuses (no memory)
  void remove(CURL* easy);  // `done` will not be called for it
  void close();             // no easy handle is left: closes every connection

  // Of a connection: about to be closed. An attempt that fails or loses to another address is closed without a word.
  void forget(curl_socket_t descriptor);

 private:
  struct Socket;

  // C calls these, and no exception may pass through it: they let none out.
  static int on_socket(CURL*, curl_socket_t descriptor, int what, void* self, void* socket) noexcept;
  static int on_timer(CURLM*, long milliseconds, void* self) noexcept;
  void watch(curl_socket_t descriptor, int what);
  void unwatch(curl_socket_t descriptor);
  void let_go(curl_socket_t descriptor);
  void await(const std::shared_ptr<Socket>& socket);
  void await(const std::shared_ptr<Socket>& socket, int direction);
  void arm(long milliseconds);
  void arm_timer();
  void act(curl_socket_t descriptor, int events);
  void report();
  void keep(CURL* easy);
  void run_due();

  using Time = asio::steady_timer::time_point;
  asio::io_context& io_;
  asio::steady_timer timer_;
  Time wanted_ = Time::max(), armed_for_ = Time::max();
  Done done_;
  CURLM* multi_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  IdleConnections idle_;
  bool due_ = false;     // libcurl asked to be called at once
  bool posted_ = false;  // … and a call is on its way
};

}  // namespace gateway::upstream
