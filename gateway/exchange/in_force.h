// The settings in force, with what workers need of them, as one value that a reload replaces whole. A worker looks at
// the generation once a request (one acquire load) and takes the new value when it has changed; requests under way go
// on with what they began with.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "gateway/access/clients.h"
#include "gateway/config/settings.h"
#include "gateway/credentials/credentials.h"
#include "gateway/mutex.h"
#include "gateway/webhooks/public_keys.h"

namespace gateway::exchange {

// Immutable; any thread.
struct InForce {
  std::shared_ptr<const config::Settings> settings;
  access::Clients clients;
  credentials::Scope scope;
  std::shared_ptr<const webhooks::PublicKeys> webhook_keys;
  std::uint64_t generation = 0;  // a number for each value, from 1
};

class InForceHolder {
 public:
  void set(InForce value) {
    const Lock lock(mutex_);
    replace(std::move(value));
  }
  // A part of it, seen and replaced as one step.
  template <typename Change>
  void update(Change change) {
    const Lock lock(mutex_);
    InForce value = *value_;
    change(value);
    replace(std::move(value));
  }
  std::shared_ptr<const InForce> get() const {
    const Lock lock(mutex_);
    return value_;
  }
  // For a worker's own copy.
  void refresh(std::shared_ptr<const InForce>& own) const {
    if (generation_.load(std::memory_order_acquire) != own->generation) own = get();
  }

 private:
  void replace(InForce value) REQUIRES(mutex_) {
    value.generation = generation_.load(std::memory_order_relaxed) + 1;
    const auto generation = value.generation;
    value_ = std::make_shared<const InForce>(std::move(value));
    generation_.store(generation, std::memory_order_release);
  }

  mutable Mutex mutex_;
  std::shared_ptr<const InForce> value_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace gateway::exchange
