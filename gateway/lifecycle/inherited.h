// Listening sockets that this process was started with: from its predecessor (take_over.h), or from systemd
// (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES). Read once by the main thread before it starts others; the
// variables are unset, so that nobody down the line takes them for its own.
#pragma once

#include <string>
#include <vector>

#include "gateway/config/settings.h"
#include "gateway/server/server.h"

namespace gateway::lifecycle {

class Inherited {
 public:
  // Throws std::runtime_error when a descriptor is no listening socket.
  Inherited();

  // Those for `address` of the settings; the others stay. systemd's are known by their name ("gateway", "admin") or by
  // where they are bound.
  std::vector<server::AdoptedSocket> take(const std::string& name, const std::string& address);
  // What nobody took: closed, and told by address.
  std::vector<std::string> close_rest();

  bool has_predecessor() const { return predecessor_ >= 0; }
  int predecessor() const { return predecessor_; }  // readable (at its end) when that process is gone
  void forget_predecessor();
  void tell_ready();  // to the predecessor, which then lets go

 private:
  struct Socket {
    int fd;
    std::string address;  // as the predecessor's settings had it; empty: systemd's
    std::string name;     // as systemd calls it
    bool owns_file;
  };
  void read_predecessor();
  void read_systemd();
  void add(Socket socket);

  std::vector<Socket> sockets_;
  int predecessor_ = -1;
  int ready_ = -1;
};

// Where a listening socket is bound, as `listen` would be written: "127.0.0.1:8080", "[::]:8080", "unix:PATH".
std::string bound_address(int fd);

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1". Nothing where there is no NOTIFY_SOCKET.
void notify(const std::string& state);

}  // namespace gateway::lifecycle
