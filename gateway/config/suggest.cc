#include "gateway/config/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

namespace gateway::config {

namespace {

// Edits (insert, delete, replace one character) that turn `a` into `b`, letters compared without case.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same =
          std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
      const std::size_t best = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1)});
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view given, std::span<const std::string> names) {
  constexpr std::size_t kLongest = 200;  // the comparison is quadratic
  if (given.size() > kLongest) return {};
  std::string_view closest;
  std::size_t fewest = std::max<std::size_t>(2, given.size() / 4) + 1;
  for (const std::string& name : names) {
    const std::size_t count = edits(given, name);
    if (count < fewest) fewest = count, closest = name;
  }
  return closest.empty() ? std::string{} : " (did you mean " + std::string(closest) + "?)";
}

}  // namespace gateway::config
