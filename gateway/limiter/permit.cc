#include "gateway/limiter/permit.h"

#include "gateway/limiter/store.h"

namespace gateway::limiter {

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  end(true);
  limiter_ = std::move(other.limiter_);
  location_ = std::move(other.location_);
  id_ = std::exchange(other.id_, 0);
  granted_ = other.granted_;
  waited_ = other.waited_;
  return *this;
}

void Permit::end(bool sent) {
  if (id_ == 0) return;
  const auto id = std::exchange(id_, 0);
  if (const auto limiter = limiter_.lock()) limiter->give_back(location_, id, now() - granted_, sent);
}

std::string_view to_string(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::QueueFull:
      return "queue-full";
    case RefusalReason::WaitTooLong:
      return "wait-too-long";
    case RefusalReason::Deadline:
      return "deadline";
    case RefusalReason::DailyQuota:
      return "daily-quota";
    case RefusalReason::ClientRate:
      return "client-rate";
  }
  return "unknown";
}

}  // namespace gateway::limiter
