// What `check --connect` found, a line each, and the exit code that follows from it.
#pragma once

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string>
#include <string_view>

#include "gateway/cli/exit_code.h"

namespace gateway::cli {

class Findings {
 public:
  explicit Findings(std::ostream& out) : out_(out) {}

  void well(std::string_view what, const std::string& result) { line("ok    ", what, result); }
  // The least of the codes stands for all: what everything else rests on comes first.
  void failed(ExitCode code, std::string_view what, const std::string& result) {
    line("FAIL  ", what, result);
    code_ = code_ == kDone ? code : std::min(code_, code);
  }
  void note(std::string_view what, const std::string& result) { line("--    ", what, result); }
  ExitCode code() const { return code_; }

 private:
  void line(std::string_view verdict, std::string_view what, const std::string& result) {
    constexpr int kWidth = 34;
    out_ << verdict << std::left << std::setw(kWidth) << what << ' ' << result << '\n';
  }
  std::ostream& out_;
  ExitCode code_ = kDone;
};

}  // namespace gateway::cli
