// A program under test: started in a process group of its own, its output kept where it never blocks it, killed with
// its group in the destructor (what is left of the group, as soon as the program's own end was noticed). It also dies
// with the thread that started it (PR_SET_PDEATHSIG), so start it from a thread that outlives it. One owner, one thread
// at a time; signal() alone may be called from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test_support {

using std::chrono::milliseconds;

enum class Stream { Out, Error };

struct ProcessOptions {
  std::vector<std::string> arguments;    // the program (a path, or a name on PATH) and its arguments
  std::vector<std::string> environment;  // "NAME=value", put over the test's own environment
  std::string unset_prefix;              // variables of the test's own environment that begin so are left out
  bool typed_to = false;                 // standard input is what type() sends; else it is empty
};

class Process {
 public:
  // Throws std::runtime_error naming the program and the reason when it cannot be started.
  explicit Process(const ProcessOptions& options);
  ~Process();  // SIGKILL to the group, stopped or not, and waits for its end
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(
      int number) const;  // to the program alone; SIGSTOP and SIGCONT too. Nothing happens once it was waited for

  void type(std::string_view text);  // the whole of its standard input, which ends with it; once

  // The first whole line that `matches`, from the stream's beginning. Nothing at the deadline, or as soon as the
  // program has ended without writing such a line.
  std::optional<std::string> wait_for_line(Stream stream, const std::function<bool(std::string_view)>& matches,
                                           milliseconds limit);
  std::optional<std::string> wait_for_line(Stream stream, std::string_view part, milliseconds limit);
  std::string output(Stream stream) const;  // everything so far

  // The exit code, or 128 + the signal that ended it; nothing when it still runs at the deadline.
  std::optional<int> wait_for_exit(milliseconds limit);
  bool running() { return !wait_for_exit(milliseconds{0}).has_value(); }

 private:
  void reap();

  pid_t pid_ = -1;
  int pid_descriptor_ = -1;
  int output_[2] = {-1, -1};  // memory files, by Stream
  int input_ = -1;
  std::optional<int> exit_;
};

}  // namespace test_support
