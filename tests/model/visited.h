// The states met so far, each kept as 128 bits of its hash: two states that share them would be taken for one. With the
// 10^8 states that are explored at most, the chance that this happens at all is below 10^-22.
#pragma once

#include <cstddef>
#include <vector>

#include "policies/hash128.h"

namespace model {

class Visited {
 public:
  // True: it was not there.
  bool insert(policies::Hash128 state) {
    if (2 * ++size_ > slots_.size()) grow();
    if (place(state)) return true;
    --size_;
    return false;
  }
  std::size_t size() const { return size_; }

 private:
  static bool free(const policies::Hash128& slot) { return slot == policies::Hash128{}; }
  bool place(policies::Hash128 state) {
    if (free(state)) state.low = 1;
    for (std::size_t at = state.low & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at] == state) return false;
      if (!free(slots_[at])) continue;
      slots_[at] = state;
      return true;
    }
  }
  void grow() {
    std::vector<policies::Hash128> old(2 * slots_.size());
    old.swap(slots_);
    for (const auto& state : old)
      if (!free(state)) place(state);
  }
  std::vector<policies::Hash128> slots_{std::size_t{1} << 12};
  std::size_t size_ = 0;
};

}  // namespace model
