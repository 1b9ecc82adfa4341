#include "gateway/lifecycle/take_over.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace gateway::lifecycle {

namespace {

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// posix_spawn's attributes and file actions, with their ends.
struct Spawn {
  Spawn() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }
  ~Spawn() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  // Under the same number: only its close-on-exec flag goes (posix_spawn_file_actions_adddup2(3)).
  void pass(int fd) { ::posix_spawn_file_actions_adddup2(&actions, fd, fd); }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

struct Pipe {
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int take(int which) { return std::exchange(ends[which], -1); }
  int ends[2] = {-1, -1};
};

}  // namespace

TakeOver::TakeOver() : program_(std::filesystem::read_symlink("/proc/self/exe")), arguments_(own_arguments()) {}

TakeOver::~TakeOver() {
  if (ready_ >= 0) ::close(ready_);
  if (life_ >= 0) ::close(life_);
}

void TakeOver::begin(const std::vector<server::AdoptedSocket>& sockets) {
  if (under_way()) throw std::runtime_error("a new process is starting already");
  if (::getpid() == 1)
    throw std::runtime_error("this is process 1 of its container, which ends with it; replace the container instead");
  Pipe ready, life;
  Spawn spawn;
  std::string list;
  for (const auto& socket : sockets) {
    list.append(std::to_string(socket.fd)).append(socket.owns_file ? ",1," : ",0,").append(socket.address).append("\n");
    spawn.pass(socket.fd);
  }
  spawn.pass(ready.ends[1]);
  spawn.pass(life.ends[0]);
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  environment.push_back(std::string(kSockets) + "=" + list);
  environment.push_back(std::string(kReady) + "=" + std::to_string(ready.ends[1]));
  environment.push_back(std::string(kPredecessor) + "=" + std::to_string(life.ends[0]));
  auto arguments = arguments_;
  const int error = ::posix_spawn(&pid_, program_.c_str(), &spawn.actions, &spawn.attributes,
                                  pointers(arguments).data(), pointers(environment).data());
  for (auto& entry : environment) explicit_bzero(entry.data(), entry.size());
  if (error != 0) {
    pid_ = -1;
    throw std::runtime_error("cannot start " + program_ + ": " + std::strerror(error));
  }
  ready_ = ready.take(0);
  life_ = life.take(1);
  deadline_ = std::chrono::steady_clock::now() + kLimit;
}

TakeOver::Step TakeOver::step() {
  if (!under_way()) return Step::Waiting;
  char said = 0;
  ::fcntl(ready_, F_SETFL, O_NONBLOCK);
  const auto count = ::read(ready_, &said, 1);
  if (count == 1) return Step::Ready;
  if (count < 0 && std::chrono::steady_clock::now() < deadline_) return Step::Waiting;
  end(count < 0);
  return Step::Failed;
}

void TakeOver::abandon() {
  if (under_way()) end(true);
}

void TakeOver::end(bool kill) {
  if (kill) ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  reason_ = kill                ? "it was not ready in time"
            : WIFEXITED(status) ? "it ended with code " + std::to_string(WEXITSTATUS(status)) + "; see its lines above"
                                : "it was ended by signal " + std::to_string(WTERMSIG(status));
  pid_ = -1;
  ::close(std::exchange(ready_, -1));
  ::close(std::exchange(life_, -1));
}

}  // namespace gateway::lifecycle
