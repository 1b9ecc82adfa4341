#include "gateway/cache/entry.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace gateway::cache {

namespace {
// How make() passes the room to the allocator of std::allocate_shared, and that what it got to Entry's constructor. Set
// and read inside one call of make().
thread_local std::size_t wanted_room = 0;
thread_local char* given_room = nullptr;

bool is_large(std::size_t body) { return body > Entry::kOwnBody; }
}  // namespace

// An allocator that adds `wanted_room` bytes behind what it is asked for.
template <typename Of>
struct Entry::Roomy {
  using value_type = Of;
  Roomy() = default;
  template <typename Other>
  explicit Roomy(const Roomy<Other>&) {}

  Of* allocate(std::size_t count) {
    char* const bytes = static_cast<char*>(::operator new(count * sizeof(Of) + wanted_room));
    given_room = bytes + count * sizeof(Of);
    return reinterpret_cast<Of*>(bytes);
  }
  void deallocate(Of* bytes, std::size_t) { ::operator delete(static_cast<void*>(bytes)); }
  friend bool operator==(const Roomy&, const Roomy&) { return true; }
};

std::shared_ptr<Entry> Entry::make(int status, std::string_view head, std::string&& body) {
  if (!is_large(body.size())) return make(status, head, std::string_view(body));
  body.shrink_to_fit();
  auto rare = std::make_unique<Rare>();
  rare->body = std::move(body);
  const std::string_view kept = rare->body;
  wanted_room = head.size();
  return std::allocate_shared<Entry>(Roomy<Entry>(), Passkey(), status, head, kept, std::move(rare));
}

std::shared_ptr<Entry> Entry::make(int status, std::string_view head, std::string_view body) {
  if (is_large(body.size())) return make(status, head, std::string(body));
  wanted_room = head.size() + body.size();
  return std::allocate_shared<Entry>(Roomy<Entry>(), Passkey(), status, head, body, nullptr);
}

Entry::Entry(Passkey, int status, std::string_view head, std::string_view body, std::unique_ptr<Rare> rare)
    : rare_(std::move(rare)),
      head_size_(static_cast<std::uint32_t>(head.size())),
      body_size_(static_cast<std::uint32_t>(body.size())),
      status_(static_cast<std::uint16_t>(status)),
      room_at_(static_cast<std::uint8_t>(given_room - reinterpret_cast<const char*>(this))) {
  static_assert(sizeof(Entry) == 64 && sizeof(Entry) <= std::numeric_limits<decltype(room_at_)>::max());
  head.copy(given_room, head.size());
  if (!is_large(body.size())) body.copy(given_room + head.size(), body.size());
}

std::shared_ptr<const std::string> Entry::body_of(const std::shared_ptr<const Entry>& entry) {
  if (entry->has_large_body()) return {entry, &entry->rare_->body};
  return std::make_shared<const std::string>(entry->body());
}

void Entry::set_lifetimes(const policies::Lifetimes& lifetimes) {
  const auto shortened = [](std::chrono::milliseconds time) {
    return Short(std::clamp<std::chrono::milliseconds>(time, Short::zero(), Short::max()));
  };
  initial_age_ = lifetimes.initial_age;
  fresh_ = shortened(lifetimes.fresh);
  stale_while_revalidate_ = shortened(lifetimes.stale_while_revalidate);
  stale_if_error_ = shortened(lifetimes.stale_if_error);
  must_revalidate_ = lifetimes.must_revalidate;
}

policies::Lifetimes Entry::lifetimes() const {
  return {initial_age_, fresh_, stale_while_revalidate_, stale_if_error_, must_revalidate_};
}

void Entry::depend_on(const Guard& guard) {
  guarded_sum_ = guard.sum;
  counter_count_ = static_cast<std::uint8_t>(std::min(guard.counters.size(), counters_.size() + 1));
  if (guard.counters.size() <= counters_.size()) {
    guard.counters.copy(counters_.data(), guard.counters.size());
    return;
  }
  if (!rare_) rare_ = std::make_unique<Rare>();
  rare_->counters = guard.counters;
}

}  // namespace gateway::cache
