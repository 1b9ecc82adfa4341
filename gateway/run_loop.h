// The loop of a thread that runs an io_context, and its end.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>

namespace gateway {

// Until `io` is stopped or out of work. What a handler throws ends that handler alone, as what a coroutine throws ends
// that coroutine: it is logged (`handler_failed`) and counted, and the loop goes on.
void run_loop(asio::io_context& io);

// An io_context for an owner whose parts its handlers refer to: it goes last, since the parts refer to it, and so its
// handlers must go before them.
class Loop : public asio::io_context {
 public:
  using asio::io_context::io_context;
  // Destroys every handler and coroutine that still waits. After its thread has returned; nothing runs any more.
  void let_go() { shutdown(); }
};

std::uint64_t handler_failures();  // in this process; any thread

}  // namespace gateway
