#include "gateway/cli/export_progress.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace gateway::cli {

namespace {

constexpr std::size_t kWidth = 30;
constexpr std::chrono::seconds kEachLine{5};

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::uint64_t percent(const Progress& progress) {
  return std::min<std::uint64_t>(progress.done * 100 / progress.total, 100);
}

std::string rate(const Progress& progress) {
  char text[32];
  std::snprintf(text, sizeof text, progress.per_second < 10 ? "%.1f/s" : "%.0f/s", progress.per_second);
  return text;
}

std::string left(std::int64_t seconds) {
  char text[48];
  if (seconds >= 3600)
    std::snprintf(text, sizeof text, "%ldh%02ldm left", static_cast<long>(seconds / 3600),
                  static_cast<long>(seconds / 60 % 60));
  else if (seconds >= 60)
    std::snprintf(text, sizeof text, "%ldm%02lds left", static_cast<long>(seconds / 60),
                  static_cast<long>(seconds % 60));
  else
    std::snprintf(text, sizeof text, "%lds left", static_cast<long>(seconds));
  return text;
}

}  // namespace

std::string bar_of(const Progress& progress) {
  std::string text;
  if (progress.total > 0) {
    const auto filled = static_cast<std::size_t>(percent(progress)) * kWidth / 100;
    char share[8];
    std::snprintf(share, sizeof share, "%3d%%", static_cast<int>(percent(progress)));
    text = "[" + std::string(filled, '#') + std::string(kWidth - filled, '-') + "] " + share + " " +
           grouped(progress.done) + "/" + grouped(progress.total);
  } else {
    text = grouped(progress.done) + " contacts";
  }
  text += "  " + rate(progress);
  if (progress.seconds_left >= 0) text += "  " + left(progress.seconds_left);
  return text;
}

std::string line_of(const Progress& progress) {
  std::string text = grouped(progress.done);
  if (progress.total > 0) text += " of " + grouped(progress.total) + " (" + std::to_string(percent(progress)) + "%)";
  text += ", " + rate(progress);
  if (progress.seconds_left >= 0) text += ", " + left(progress.seconds_left);
  return text;
}

void ProgressView::show(const Progress& progress, std::chrono::steady_clock::time_point now) {
  if (!bar_) {
    if (shown_ != std::chrono::steady_clock::time_point{} && now - shown_ < kEachLine) return;
    shown_ = now;
    out_ << "exported " << line_of(progress) << std::endl;
    return;
  }
  out_ << "\r\x1b[K" << bar_of(progress) << std::flush;
  drawn_ = true;
}

void ProgressView::clear() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace gateway::cli
