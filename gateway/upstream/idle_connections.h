// The pool's idle HTTP/1 connections, by descriptor, so that none is used again on which bytes arrived unasked (a late
// 408, a second answer): libcurl 7.88 would take them for the answer to the next request (RFC 9112 section 9.2). HTTP/2
// connections may receive frames at any time and are not kept here. One thread.
#pragma once

#include <poll.h>

#include <vector>

namespace gateway::upstream {

class IdleConnections {
 public:
  void add(int descriptor);     // its request has ended
  void remove(int descriptor);  // in use again, or about to be closed

  // Shuts down those that are readable: libcurl finds them dead and opens another.
  void drop_unclean();

 private:
  std::vector<pollfd> sockets_;
};

}  // namespace gateway::upstream
