#include "gateway/webhooks/seen_ids.h"

namespace gateway::webhooks {

namespace {
std::string key_of(const std::string& id) { return "cg:webhook:" + id; }
}  // namespace

asio::awaitable<SeenIds::Seen> SeenIds::look(std::string id) {
  if (redis_ == nullptr) {
    forget_old(std::chrono::steady_clock::now());
    co_return until_.contains(id) ? Seen::Before : Seen::New;
  }
  std::vector<std::string> command{"EXISTS", key_of(id)};
  const auto result = co_await redis_->command(std::move(command));
  const auto* value = std::get_if<redis::Value>(&result);
  const auto* there = value ? std::get_if<std::int64_t>(&value->data) : nullptr;
  co_return there == nullptr ? Seen::Unknown : *there == 0 ? Seen::New : Seen::Before;
}

asio::awaitable<SeenIds::Seen> SeenIds::take(std::string id, std::chrono::milliseconds memory) {
  if (redis_ == nullptr) {
    const auto now = std::chrono::steady_clock::now();
    forget_old(now);
    if (!until_.emplace(id, now + memory).second) co_return Seen::Before;
    order_.push_back(std::move(id));
    co_return Seen::New;
  }
  std::vector<std::string> command{"SET", key_of(id), "1", "NX", "PX", std::to_string(memory.count())};
  const auto result = co_await redis_->command(std::move(command));
  const auto* value = std::get_if<redis::Value>(&result);
  if (value == nullptr || std::holds_alternative<redis::Error>(value->data)) co_return Seen::Unknown;
  co_return std::holds_alternative<redis::Nil>(value->data) ? Seen::Before : Seen::New;
}

void SeenIds::forget_old(std::chrono::steady_clock::time_point now) {
  while (!order_.empty() && (order_.size() > kMost || until_.at(order_.front()) <= now)) {
    until_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace gateway::webhooks
