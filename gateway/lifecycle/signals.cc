#include "gateway/lifecycle/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace gateway::lifecycle {

Signals::Signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&set_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&set_, signal);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  fd_ = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() { ::close(fd_); }

int Signals::wait(std::initializer_list<int> others, std::chrono::milliseconds limit) const {
  std::vector<pollfd> fds{{fd_, POLLIN, 0}};
  for (const int other : others) fds.push_back({other, POLLIN, 0});
  ::poll(fds.data(), fds.size(), static_cast<int>(limit.count()));
  signalfd_siginfo info{};
  return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

void Signals::ending(int by) {
  const bool asked_for = by == SIGTERM || by == SIGINT;
  struct sigaction first {};
  first.sa_flags = SA_RESTART;
  // Where another process has taken over, the end has not been asked for yet.
  first.sa_handler = [](int) { ::signal(SIGTERM, SIG_DFL), ::signal(SIGINT, SIG_DFL); };
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT}) {
    if (!asked_for) ::sigaction(signal, &first, nullptr);
    sigaddset(&ends, signal);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
}

}  // namespace gateway::lifecycle
