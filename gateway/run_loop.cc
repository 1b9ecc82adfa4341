#include "gateway/run_loop.h"

#include <atomic>
#include <exception>

#include "gateway/log/failure.h"

namespace gateway {

namespace {
std::atomic<std::uint64_t> failures{0};
}

std::uint64_t handler_failures() { return failures.load(std::memory_order_relaxed); }

void run_loop(asio::io_context& io) {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      failures.fetch_add(1, std::memory_order_relaxed);
      log::failure("handler_failed", std::current_exception());
    }
  }
}

}  // namespace gateway
