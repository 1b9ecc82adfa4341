#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/support/eventually.h"

namespace test_support {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

std::vector<std::string> merged_environment(const ProcessOptions& options) {
  std::vector<std::string> merged = options.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view own(*variable);
    bool dropped = !options.unset_prefix.empty() && own.starts_with(options.unset_prefix);
    for (const std::string& given : options.environment) dropped = dropped || name_of(given) == name_of(own);
    if (!dropped) merged.emplace_back(own);
  }
  return merged;
}

// Runs between fork and exec: only async-signal-safe calls, since other threads' locks may be held in this copy.
[[noreturn]] void become(pid_t parent, char* const* arguments, char* const* environment, int input,
                         const int (&output)[2], int failure) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (input < 0) input = ::open("/dev/null", O_RDONLY);
  if (input >= 0 && ::dup2(input, 0) >= 0 && ::dup2(output[0], 1) >= 0 && ::dup2(output[1], 2) >= 0) {
    sigset_t all;
    ::sigemptyset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::execvpe(arguments[0], arguments, environment);
  }
  const int reason = errno;
  (void)!::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

}  // namespace

Process::Process(const ProcessOptions& options) {
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = merged_environment(options);
  const std::vector<char*> argument_pointers = pointers(arguments), environment_pointers = pointers(environment);
  for (int& file : output_) file = ::memfd_create("output", MFD_CLOEXEC);
  int failure[2], input[2] = {-1, -1};
  if (output_[0] < 0 || output_[1] < 0 || ::pipe2(failure, O_CLOEXEC) != 0 ||
      (options.typed_to && ::pipe2(input, O_CLOEXEC) != 0))
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  for (const int file : output_) ::fcntl(file, F_SETFL, O_APPEND);

  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(parent, argument_pointers.data(), environment_pointers.data(), input[0], output_, failure[1]);
  ::close(input[0]);
  input_ = input[1];
  ::close(failure[1]);
  if (pid_ > 0) ::setpgid(pid_, pid_);
  int reason = 0;
  const bool failed = pid_ < 0 || ::read(failure[0], &reason, sizeof reason) > 0;
  ::close(failure[0]);
  if (pid_ > 0) pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (!failed && pid_descriptor_ >= 0) return;
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(input_);
  for (const int file : output_) ::close(file);
  throw std::runtime_error("cannot start " + arguments.at(0) + ": " + std::strerror(reason ? reason : errno));
}

Process::~Process() {
  if (!exit_) {
    ::kill(-pid_, SIGKILL);
    reap();
  }
  ::close(pid_descriptor_);
  ::close(input_);
  for (const int file : output_) ::close(file);
}

void Process::type(std::string_view text) {
  (void)!::write(input_, text.data(), text.size());  // one that has ended reads nothing, which its output shows
  ::close(std::exchange(input_, -1));
}

void Process::signal(int number) const { ::syscall(SYS_pidfd_send_signal, pid_descriptor_, number, nullptr, 0); }

void Process::reap() {
  // What is left of the group is killed while the program's own number is still held by its unreaped end: afterwards
  // the number may be a stranger's.
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<int> Process::wait_for_exit(milliseconds limit) {
  if (exit_) return exit_;
  const Deadline deadline(limit);
  pollfd ended{pid_descriptor_, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&ended, 1, static_cast<int>(deadline.left().count()));
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) reap();
  return exit_;
}

std::string Process::output(Stream stream) const {
  std::string text;
  char buffer[16384];
  for (ssize_t got = 0;
       (got = ::pread(output_[static_cast<int>(stream)], buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::optional<std::string> Process::wait_for_line(Stream stream, const std::function<bool(std::string_view)>& matches,
                                                  milliseconds limit) {
  const Deadline deadline(limit);
  std::size_t seen = 0;
  for (;;) {
    // The end is looked at before the output: what was written before it is then read.
    const bool last = deadline.passed() || !running();
    const std::string text = output(stream);
    for (std::size_t end; (end = text.find('\n', seen)) != std::string::npos; seen = end + 1) {
      const std::string_view line = std::string_view(text).substr(seen, end - seen);
      if (matches(line)) return std::string(line);
    }
    if (last) return std::nullopt;
    ::poll(nullptr, 0, 2);
  }
}

std::optional<std::string> Process::wait_for_line(Stream stream, std::string_view part, milliseconds limit) {
  return wait_for_line(
      stream, [part](std::string_view line) { return line.find(part) != std::string_view::npos; }, limit);
}

}  // namespace test_support
