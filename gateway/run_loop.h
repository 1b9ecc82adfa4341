// The loop of a thread that runs an io_context.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>

namespace gateway {

// Until `io` is stopped or out of work. What a handler throws ends that handler alone, as what a coroutine throws ends
// that coroutine: it is logged (`handler_failed`) and counted, and the loop goes on.
void run_loop(asio::io_context& io);

std::uint64_t handler_failures();  // in this process; any thread

}  // namespace gateway
