#include "gateway/cache/shared_tier.h"

namespace gateway::cache {

FoundEntry::FoundEntry(const FoundEntry& other) : stored_at(other.stored_at) {
  if (!other.entry) return;
  entry = Entry::make(other.entry->status(), other.entry->head(), other.entry->body());
  entry->set_lifetimes(other.entry->lifetimes());
}

}  // namespace gateway::cache
