#include "gateway/cache/entry.h"

#include <new>
#include <utility>

namespace gateway::cache {

namespace {
// Between make(), the allocator that it has std::allocate_shared use, and Entry's constructor, all inside one call.
thread_local std::size_t wanted_room = 0;
thread_local char* given_room = nullptr;

bool is_large(std::size_t body) { return body > Entry::kOwnBody; }
}  // namespace

// Gives what it allocates room behind it.
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
  wanted_room = head.size();
  return std::allocate_shared<Entry>(Roomy<Entry>(), Passkey(), status, head, std::string_view(),
                                     std::make_unique<const std::string>(std::move(body)));
}

std::shared_ptr<Entry> Entry::make(int status, std::string_view head, std::string_view body) {
  if (is_large(body.size())) return make(status, head, std::string(body));
  wanted_room = head.size() + body.size();
  return std::allocate_shared<Entry>(Roomy<Entry>(), Passkey(), status, head, body, nullptr);
}

Entry::Entry(Passkey, int status, std::string_view head, std::string_view body,
             std::unique_ptr<const std::string> large)
    : status_(static_cast<std::uint16_t>(status)),
      head_size_(static_cast<std::uint32_t>(head.size())),
      body_size_(static_cast<std::uint32_t>(body.size())),
      bytes_(given_room),
      large_(std::move(large)) {
  head.copy(given_room, head.size());
  body.copy(given_room + head.size(), body.size());
}

std::shared_ptr<const std::string> Entry::body_of(const std::shared_ptr<const Entry>& entry) {
  if (entry->large_) return {entry, entry->large_.get()};
  return std::make_shared<const std::string>(entry->body());
}

}  // namespace gateway::cache
