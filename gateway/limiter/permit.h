// A permit for one request to one location's upstream. Move-only; its destructor reports the request's end without
// awaiting, so it is safe in a cancelled coroutine. Hold it until the answer is whole or the try has failed. Asio
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "policies/instant.h"

namespace gateway::limiter {

// Takes permits back; outlives nobody: permits hold it weakly.
class PermitReturn {
 public:
  virtual ~PermitReturn() = default;
  virtual void give_back(const std::string& location, std::uint64_t id, policies::Duration held, bool sent) = 0;
};

class Permit {
 public:
  Permit() = default;
  Permit(std::weak_ptr<PermitReturn> limiter, std::string location, std::uint64_t id, policies::Instant granted,
         policies::Duration waited)
      : limiter_(std::move(limiter)), location_(std::move(location)), id_(id), granted_(granted), waited_(waited) {}
  Permit(Permit&& other) noexcept { *this = std::move(other); }
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { end(true); }

  // The request never left (refused connection, cancelled before sending): the slot is free at once.
  void unsent() { end(false); }
  void ended() { end(true); }                            // now instead of at destruction
  policies::Duration waited() const { return waited_; }  // in the queue

 private:
  void end(bool sent);

  std::weak_ptr<PermitReturn> limiter_;
  std::string location_;
  std::uint64_t id_ = 0;  // 0: none
  policies::Instant granted_{0};
  policies::Duration waited_{0};
};

enum class RefusalReason : std::uint8_t {
  QueueFull,    // or displaced from a full queue by a client with a shorter backlog
  WaitTooLong,  // could not be met: refused at once
  Deadline,     // waited, and no permit came
  DailyQuota,
  ClientRate,
};
std::string_view to_string(RefusalReason reason);

struct Refusal {
  RefusalReason reason = RefusalReason::QueueFull;
  policies::Duration retry_after{0};
};
using PermitOrRefusal = std::variant<Permit, Refusal>;

}  // namespace gateway::limiter
