// How far an export is, for people: a bar on a terminal, lines elsewhere. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace gateway::cli {

struct Progress {
  std::uint64_t done = 0, total = 0;  // total 0: unknown
  double per_second = 0;
  std::int64_t seconds_left = -1;  // -1: unknown
};

// "[#########-----------]  45% 45,000/100,000  812/s  1m07s left"
std::string bar_of(const Progress& progress);
std::string line_of(const Progress& progress);  // "45,000 of 100,000 (45%), 812/s, 1m07s left"

class ProgressView {
 public:
  ProgressView(bool bar, std::ostream& out) : bar_(bar), out_(out) {}
  void show(const Progress& progress, std::chrono::steady_clock::time_point now);
  void clear();  // before another line is written

 private:
  bool bar_, drawn_ = false;
  std::ostream& out_;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace gateway::cli
