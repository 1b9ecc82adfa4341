// An answer as the memory tier keeps it, ready to be written out. Head and body lie behind it in one allocation, and
// what it knows of itself is packed: of a hundred thousand of them each byte here is 100 KB. A large body stays the
// string it came as. Unchanged once others see it; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <ratio>
#include <string>
#include <string_view>

#include "gateway/cache/fence.h"
#include "policies/cache_control.h"
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
  std::string_view head() const { return {room(), head_size_}; }
  std::string_view body() const {
    return has_large_body() ? std::string_view(rare_->body) : std::string_view(room() + head_size_, body_size_);
  }
  std::size_t bytes() const { return head_size_ + (has_large_body() ? rare_->body.capacity() : body_size_); }
  // Its body for as long as it is wanted: the entry's own where that is a string, else a copy.
  static std::shared_ptr<const std::string> body_of(const std::shared_ptr<const Entry>& entry);

  void set_lifetimes(const policies::Lifetimes& lifetimes);
  policies::Lifetimes lifetimes() const;
  // policies::decide() of this entry, at `now` (boottime).
  policies::Decision decision(std::chrono::milliseconds now, const policies::RequestCacheControl& request) const {
    const auto times = lifetimes();
    return policies::decide(&times, now - received, request);
  }

  void depend_on(const Guard& guard);
  bool intact(const Fence& fence) const { return fence.intact(counters(), guarded_sum_); }

  std::chrono::milliseconds received{0};  // boottime

 private:
  template <typename Of>
  struct Roomy;
  struct Passkey {};
  // What few entries need.
  struct Rare {
    std::string body;
    std::u16string counters;
  };
  using Short = std::chrono::duration<std::uint32_t, std::milli>;  // 49 days; settings allow 30

 public:
  Entry(Passkey, int status, std::string_view head, std::string_view body, std::unique_ptr<Rare> rare);  // by make()

 private:
  const char* room() const { return reinterpret_cast<const char*>(this) + room_at_; }
  bool has_large_body() const { return body_size_ > kOwnBody; }
  std::u16string_view counters() const {
    return counter_count_ <= counters_.size() ? std::u16string_view(counters_.data(), counter_count_)
                                              : std::u16string_view(rare_->counters);
  }

  std::chrono::milliseconds initial_age_{0};
  std::uint64_t guarded_sum_ = 0;
  std::unique_ptr<Rare> rare_;
  Short fresh_{0}, stale_while_revalidate_{0}, stale_if_error_{0};
  const std::uint32_t head_size_;
  const std::uint32_t body_size_;
  std::array<char16_t, 3> counters_{};  // most entries depend on one or two
  const std::uint16_t status_;
  std::uint8_t counter_count_ = 0;  // more than counters_ holds: they are in rare_
  const std::uint8_t room_at_;
  bool must_revalidate_ = false;
};

}  // namespace gateway::cache
