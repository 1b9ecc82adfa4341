// Where grants are kept, for one process or for all replicas. What holds of every store:
//   1. save() returns Saved only when a crash of this process, and for a file of the machine, can no longer lose it.
//   2. Versions only grow: an older one never replaces a later one, so a holder that was held up for long cannot undo
//      what happened meanwhile (its version is the fencing token).
//   3. One holder at a time has the right to renew a grant: lock() gives it together with what is stored.
// Asio thread only. Failures are values in words for an operator, never with content.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/token_store/grant.h"

namespace gateway::token_store {

struct Failure {
  std::string why;
  bool passing = true;  // it is away; else it must be mended (a wrong key, a folder that cannot be written)
};

// Dropping it gives the right back.
class Lease {
 public:
  virtual ~Lease() = default;
};

struct Locked {
  std::shared_ptr<Lease> lease;
  std::optional<Grant> stored;
};
struct Busy {  // another has it, or the store has just come back and others may still bring what it has lost
  std::chrono::milliseconds look_again{100};
};
using LockResult = std::variant<Locked, Busy, Failure>;

struct Saved {};
struct Superseded {  // nothing was changed: what is stored says as much or more
  Grant stored;
};
using SaveResult = std::variant<Saved, Superseded, Failure>;

using LoadResult = std::variant<std::vector<Grant>, Failure>;

class Store {
 public:
  virtual ~Store() = default;

  // `on_change`: another process may have changed something, or the store is reachable again. From now until stop().
  virtual void start(std::function<void()> on_change) = 0;
  virtual void stop() = 0;

  virtual asio::awaitable<LoadResult> load() = 0;
  virtual asio::awaitable<LockResult> lock(std::string id) = 0;
  virtual asio::awaitable<SaveResult> save(Grant grant) = 0;
};

}  // namespace gateway::token_store
