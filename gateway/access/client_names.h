// The names of all clients that this process has ever known, each with a number that it keeps through every reload:
// metrics, the fair queue and a connection's memory of its client go by that number. A name that leaves the settings
// keeps its own, so that counts of the past never become somebody else's.
//
// add() by one thread at a time (start, reload); name() and count() by any thread at any time, without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::access {

class ClientNames {
 public:
  static constexpr std::size_t kMost = 8'192;

  // The number of `name`, from 1; a new one where it is not known. Nothing when there is no room: a restart makes some.
  std::optional<std::uint16_t> add(const std::string& name) {
    const std::size_t known = count();
    for (std::size_t i = 0; i < known; ++i)
      if (names_[i] == name) return static_cast<std::uint16_t>(i + 1);
    if (known == kMost) return std::nullopt;
    names_[known] = name;
    count_.store(known + 1, std::memory_order_release);  // readers see the name whole
    return static_cast<std::uint16_t>(known + 1);
  }

  std::string_view name(std::uint16_t number) const {
    return number == 0 || number > count() ? std::string_view() : std::string_view(names_[number - 1u]);
  }
  std::size_t count() const { return count_.load(std::memory_order_acquire); }

 private:
  std::unique_ptr<std::string[]> names_ = std::make_unique<std::string[]>(kMost);
  std::atomic<std::size_t> count_{0};
};

}  // namespace gateway::access
