// The field names that an operation's answers were seen to vary on (RFC 9111 section 4.1). They become part of the
// cache key before the lookup, so that variants lie side by side and a lookup stays one step. An entry is stored under
// the names of its own answer or more, never fewer, so learning late costs a miss and cannot serve the wrong variant.
// Any thread; grows only, bounded.
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mutex.h"

namespace gateway::exchange {

class VaryNames {
 public:
  explicit VaryNames(std::size_t operations) : names_(operations) {}

  // "accept-encoding, origin": lower case, sorted; null where none were seen. One load; what it points to stays.
  const std::string* of(std::size_t operation) const { return names_[operation].load(std::memory_order_acquire); }
  // Adds those of `vary`; false where they are too many or "*": the answer may not be stored.
  bool learn(std::size_t operation, std::string_view vary);

  static constexpr std::size_t kMost = 8;

 private:
  Mutex learning_;
  std::deque<std::string> learnt_ GUARDED_BY(learning_);  // all that names_ ever pointed to: kMost for an operation
  std::vector<std::atomic<const std::string*>> names_;
};

}  // namespace gateway::exchange
