// An answer as the memory tier keeps it, ready to be written out. Head and body lie behind it in one allocation, as a
// hundred thousand of them would waste a tenth of their memory otherwise; a large body stays the string it came as.
// Unchanged once others see it; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/cache/fence.h"
#include "policies/freshness.h"

namespace gateway::cache {

class Entry {
 public:
  // A longer body is not copied behind its entry.
  static constexpr std::size_t kOwnBody = 8 * 1024;

  // `head`: status line and field lines, each CRLF ended, Content-Length and Date included, what Reply::send_prepared
  // takes. `body` is left as it is where it was copied.
  static std::shared_ptr<Entry> make(int status, std::string_view head, std::string&& body);
  static std::shared_ptr<Entry> make(int status, std::string_view head, std::string_view body);

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  int status() const { return status_; }
  std::string_view head() const { return {bytes_, head_size_}; }
  std::string_view body() const {
    return large_ ? std::string_view(*large_) : std::string_view(bytes_ + head_size_, body_size_);
  }
  std::size_t bytes() const { return head_size_ + (large_ ? large_->capacity() : body_size_); }
  // Its body for as long as it is wanted: the entry's own where that is a string, else a copy.
  static std::shared_ptr<const std::string> body_of(const std::shared_ptr<const Entry>& entry);

  std::chrono::milliseconds received{0};  // boottime
  policies::Lifetimes lifetimes;
  Guard guard;

 private:
  template <typename Of>
  struct Roomy;
  struct Passkey {};

 public:
  Entry(Passkey, int status, std::string_view head, std::string_view body,
        std::unique_ptr<const std::string> large);  // by make() alone

 private:
  const std::uint16_t status_;
  const std::uint32_t head_size_;
  const std::uint32_t body_size_;
  const char* bytes_;
  const std::unique_ptr<const std::string> large_;
};

}  // namespace gateway::cache
