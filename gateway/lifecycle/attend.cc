#include "gateway/lifecycle/attend.h"

#include <poll.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "gateway/lifecycle/file_watch.h"
#include "gateway/log/log.h"

namespace gateway::lifecycle {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Files are often written in more than one step; what happens within this time is one change.
constexpr milliseconds kSettle{100};

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&one, 1, 0) == 1;
}

class Attendance {
 public:
  explicit Attendance(Attended attended) : at_(std::move(attended)) {
    watch_.set(at_.reload.files());
    at_.reload.files_changed({});  // what changed between the start's reading and the watch
  }

  int run() {
    for (;;) {
      int signal = at_.signals.wait({watch_.fd(), at_.take_over.fd(), at_.inherited.predecessor()}, limit());
      if (signal == 0 && readable(watch_.fd())) signal = at_.signals.wait({}, kSettle);
      if (signal == SIGTERM || signal == SIGINT) {
        at_.take_over.abandon();
        return signal;
      }
      if (signal == SIGHUP) at_.reload.settings_file();
      if (signal == SIGUSR2) begin_take_over();
      if (const auto changed = watch_.changed(); !changed.empty()) at_.reload.files_changed(changed);
      watch_.set(at_.reload.files());
      if (taken_over()) return SIGUSR2;
      look_after_predecessor();
    }
  }

 private:
  milliseconds limit() const {
    milliseconds limit = FileWatch::kLookEvery;
    if (alone_from_) limit = std::min(limit, std::chrono::ceil<milliseconds>(*alone_from_ - Clock::now()));
    return std::max(limit, milliseconds{0});
  }

  void begin_take_over() {
    try {
      if (at_.inherited.has_predecessor())
        throw std::runtime_error("the process before this one has not ended yet; try again when it has");
      at_.share_memory(true);  // before the new one answers anybody
      at_.take_over.begin(at_.sockets());
      log::info("takeover_started", {{"pid", std::int64_t{at_.take_over.pid()}}});
    } catch (const std::runtime_error& e) {
      log::error("takeover_failed", {{"why", std::string_view(e.what())}});
      use_memory_again();
    }
  }

  bool taken_over() {
    switch (at_.take_over.step()) {
      case TakeOver::Step::Waiting:
        return false;
      case TakeOver::Step::Ready:
        log::info("handed_over", {{"pid", std::int64_t{at_.take_over.pid()}}});
        return true;
      case TakeOver::Step::Failed:
        log::error("takeover_failed", {{"why", std::string_view(at_.take_over.reason())}});
        use_memory_again();
        return false;
    }
    return false;
  }

  // Not while a predecessor, or what it wrote last, is still about, or a new process that is starting.
  void use_memory_again() {
    if (!at_.take_over.under_way() && !at_.inherited.has_predecessor() && !alone_from_) at_.share_memory(false);
  }

  void look_after_predecessor() {
    if (at_.inherited.has_predecessor() && readable(at_.inherited.predecessor())) {
      at_.inherited.forget_predecessor();
      alone_from_ = Clock::now() + at_.rest;
      log::info("predecessor_ended");
    }
    if (!alone_from_ || Clock::now() < *alone_from_) return;
    alone_from_.reset();
    use_memory_again();
  }

  Attended at_;
  FileWatch watch_;
  std::optional<Clock::time_point> alone_from_;
};

}  // namespace

int attend(Attended attended) { return Attendance(std::move(attended)).run(); }

}  // namespace gateway::lifecycle
