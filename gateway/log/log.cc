#include "gateway/log/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

#include "gateway/log/thread_lines.h"

namespace gateway::log {

namespace {

constexpr std::chrono::milliseconds kGather{20};
constexpr std::size_t kEnough = 128 * 1024;  // waiting bytes that are worth a write before that

// To a pipe no more than PIPE_BUF, whole lines: then lines of two processes (a take-over) never mix. A file takes any
// size at once.
void write_out(std::string_view lines) {
  struct stat target {};
  const bool file = ::fstat(STDERR_FILENO, &target) == 0 && S_ISREG(target.st_mode);
  const std::size_t most = file ? kEnough : PIPE_BUF;
  while (!lines.empty()) {
    std::size_t size = std::min(lines.size(), most);
    if (size < lines.size()) {
      const auto last = lines.rfind('\n', size - 1);
      size = (last != std::string_view::npos ? last : lines.find('\n')) + 1;
    }
    const auto written = ::write(STDERR_FILENO, lines.data(), size);
    if (written < 0 && errno != EINTR) return;  // nobody reads any more: there is nowhere to say so
    if (written > 0) lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Gathers what the threads have written. Why no line is left behind: due_ goes back to Nothing before the lines are
// taken; a line added later finds it so, and makes it due again.
class Writer {
 public:
  Writer() : thread_([this] { run(); }) {}
  ~Writer() {
    make_due(Due::Last);
    thread_.join();
  }

  std::shared_ptr<ThreadLines> join() {
    auto lines = std::make_shared<ThreadLines>();
    Lock lock(mutex_);
    threads_.push_back(lines);
    return lines;
  }

  void added(std::size_t waiting, bool urgent) {
    const Due due = urgent || waiting > kEnough ? Due::Now : Due::Soon;
    if (due_.load(std::memory_order_relaxed) < due) make_due(due);
  }

  std::uint64_t dropped() const {
    Lock lock(mutex_);
    std::uint64_t total = dropped_of_ended_;
    for (const auto& thread : threads_) total += thread->dropped();
    return total;
  }

 private:
  enum class Due { Nothing, Soon, Now, Last };

  void make_due(Due due) {
    {
      Lock lock(mutex_);
      if (due_.load(std::memory_order_relaxed) >= due) return;
      due_.store(due, std::memory_order_relaxed);
    }
    changed_.notify_one();
  }

  void run() {
    for (bool last = false; !last;) {
      {
        Lock lock(mutex_);
        while (due_ == Due::Nothing) changed_.wait(mutex_);
        const auto end = std::chrono::steady_clock::now() + kGather;
        while (due_ == Due::Soon && changed_.wait_until(mutex_, end) == std::cv_status::no_timeout) {
        }
        last = due_ == Due::Last;
        due_.store(Due::Nothing, std::memory_order_relaxed);
      }
      write_all();
    }
  }

  // The lock is never held while writing: a thread may be waiting for it.
  void write_all() {
    std::vector<std::shared_ptr<ThreadLines>> threads;
    {
      Lock lock(mutex_);
      threads = threads_;
    }
    for (const auto& thread : threads) write_lines_of(*thread);
    threads.clear();
    for (const auto& thread : take_ended()) write_lines_of(*thread);
  }

  void write_lines_of(ThreadLines& thread) {
    thread.take(taken_);
    write_out(taken_.text());
    taken_.clear();
  }

  // Those whose thread has ended: it adds no more.
  std::vector<std::shared_ptr<ThreadLines>> take_ended() {
    Lock lock(mutex_);
    const auto ended = std::stable_partition(threads_.begin(), threads_.end(),
                                             [](const auto& thread) { return thread.use_count() > 1; });
    std::vector<std::shared_ptr<ThreadLines>> taken(ended, threads_.end());
    threads_.erase(ended, threads_.end());
    for (const auto& thread : taken) dropped_of_ended_ += thread->dropped();
    return taken;
  }

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::atomic<Due> due_{Due::Nothing};  // changed under mutex_
  std::vector<std::shared_ptr<ThreadLines>> threads_ GUARDED_BY(mutex_);
  std::uint64_t dropped_of_ended_ GUARDED_BY(mutex_) = 0;
  Lines taken_;  // the background thread's
  std::thread thread_;
};

constexpr int kOff = static_cast<int>(Level::Error) + 1;
std::atomic<int> least{kOff};
std::unique_ptr<Writer> writer;  // changed only while there is one thread
std::uint64_t starts = 0;        // so that a thread knows a Writer from the one before

struct Mine {
  std::uint64_t start = 0;
  std::shared_ptr<ThreadLines> lines;
};
thread_local Mine mine;

}  // namespace

void start(Level level) {
  writer = std::make_unique<Writer>();
  ++starts;
  least.store(static_cast<int>(level));
}

void stop() {
  if (!writer) return;
  least.store(kOff);
  const auto lost = static_cast<std::int64_t>(dropped());
  writer.reset();  // writes what waits
  if (lost == 0) return;
  std::string line;
  const Item items[] = {{"lines", lost}};
  append_line(line, std::chrono::system_clock::now(), Level::Warn, "log_lines_dropped", items);
  write_out(line + '\n');
}

void set_level(Level level) { least.store(static_cast<int>(level), std::memory_order_relaxed); }

bool enabled(Level level) { return static_cast<int>(level) >= least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::span<const Item> items) {
  if (!enabled(level)) return;
  if (mine.start != starts) mine = {starts, writer->join()};
  const auto waiting = mine.lines->add(std::chrono::system_clock::now(), level, event, items);
  writer->added(waiting, level >= Level::Warn);
}

std::uint64_t dropped() { return writer ? writer->dropped() : 0; }

}  // namespace gateway::log
