#include "gateway/exchange/vary_names.h"

#include <algorithm>
#include <set>

namespace gateway::exchange {

namespace {
void add_names(std::set<std::string>& names, std::string_view list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto name = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    if (name.empty()) continue;
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    names.insert(std::move(lower));
  }
}
}  // namespace

bool VaryNames::learn(std::size_t operation, std::string_view vary) {
  if (vary.empty()) return true;
  Lock lock(learning_);
  std::set<std::string> names;
  const auto known = of(operation);
  if (known) add_names(names, *known);
  add_names(names, vary);
  if (names.contains("*") || names.size() > kMost) return false;
  std::string joined;
  for (const auto& name : names) joined.append(joined.empty() ? "" : ", ").append(name);
  if (!known || *known != joined)
    names_[operation].store(&learnt_.emplace_back(std::move(joined)), std::memory_order_release);
  return true;
}

}  // namespace gateway::exchange
