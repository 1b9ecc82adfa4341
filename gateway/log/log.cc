#include "gateway/log/log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cstdio>
#include <memory>

namespace gateway::log {

namespace {

constexpr std::size_t kWaitingLines = 8192;  // with lines of some 300 bytes, a few MiB at most

struct Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool = std::make_shared<spdlog::details::thread_pool>(kWaitingLines, 1);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "log", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool, spdlog::async_overflow_policy::overrun_oldest);
};

constexpr int kOff = static_cast<int>(Level::Error) + 1;
std::atomic<int> least{kOff};
std::unique_ptr<Writer> writer;  // changed only while there is one thread

}  // namespace

void start(Level level) {
  writer = std::make_unique<Writer>();
  writer->logger->set_pattern("%v");
  least.store(static_cast<int>(level));
}

void stop() {
  if (!writer) return;
  least.store(kOff);
  const auto lost = static_cast<std::int64_t>(dropped());
  writer.reset();  // waits for the lines before it
  if (lost == 0) return;
  // Straight out: in the queue this line could push out another one and be wrong.
  std::string line;
  const Item items[] = {{"lines", lost}};
  append_line(line, std::chrono::system_clock::now(), Level::Warn, "log_lines_dropped", items);
  std::fprintf(stderr, "%s\n", line.c_str());
}

void set_level(Level level) { least.store(static_cast<int>(level), std::memory_order_relaxed); }

bool enabled(Level level) { return static_cast<int>(level) >= least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::span<const Item> items) {
  if (!enabled(level)) return;
  thread_local std::string line;
  line.clear();
  append_line(line, std::chrono::system_clock::now(), level, event, items);
  // A level of spdlog's that it neither filters nor flushes after.
  writer->logger->log(spdlog::level::info, std::string_view(line));
}

std::uint64_t dropped() { return writer ? writer->pool->overrun_counter() : 0; }

}  // namespace gateway::log
