// A listening socket: "127.0.0.1:8080", "[::]:8080", "localhost:0" or "unix:PATH". Owns its descriptor, and the file of
// a unix socket.
#pragma once

#include <string>

namespace gateway::server {

class Listener {
 public:
  // Binds and listens, non-blocking. Throws std::runtime_error that names the address and the reason. A unix socket's
  // file that nobody answers on is taken for left over and replaced.
  explicit Listener(const std::string& address);
  // Takes a descriptor that listens already, for `address`. `owns_file`: whether the file of a unix socket goes with
  // it.
  Listener(const std::string& address, int fd, bool owns_file);
  ~Listener();
  Listener(Listener&& other) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  const std::string& address() const { return address_; }  // as bound, the port filled in
  const std::string& wanted() const { return wanted_; }    // as asked for

  // Of a unix socket's file: whether it is removed at the end.
  bool owns_file() const { return !path_.empty(); }
  void own_file(bool own);

 private:
  void bind_unix();
  void bind_tcp();
  void set_tcp_options() const;
  void fill_in_port();
  [[noreturn]] void fail(const std::string& reason);

  int fd_ = -1;
  std::string wanted_;
  std::string address_;
  std::string path_;  // of a unix socket
};

}  // namespace gateway::server
