#include "gateway/idempotency/claims.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <initializer_list>
#include <stdexcept>

#include "gateway/cache/codec.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/random.h"

namespace gateway::idempotency {

using policies::IdempotencyClaim;
using policies::IdempotencyPhase;
using policies::IdempotencyStep;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPatience{1'000};  // with a Redis that does not answer, while a client waits
constexpr std::size_t kMostUnsaid = 10'000;

// Each text with its length, so that no two lists of texts look the same.
std::string digest_of(std::initializer_list<std::string_view> texts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 32> bytes{};
  bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const auto text : texts) {
    const std::string size = std::to_string(text.size()) + ':';
    done = done && EVP_DigestUpdate(context.get(), size.data(), size.size()) == 1 &&
           EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context.get(), bytes.data(), nullptr) != 1)
    throw std::runtime_error("OpenSSL has no SHA-256");
  std::string hex;
  for (const auto byte : bytes) hex.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  return hex;
}

Speaker speaker_of(const Named& named) {
  const std::string_view body = named.body ? std::string_view(*named.body) : std::string_view();
  return {digest_of({named.scope, named.key}),
          digest_of({named.method, named.target, named.location, named.version, body}), random_hex(16)};
}

// Kept by another version of the gateway, or damaged: as if it were not known what came of it.
std::optional<Answer> decoded(const std::string& encoded) {
  auto entry = cache::decode(encoded);
  if (auto* failure = std::get_if<cache::DecodeFailure>(&entry)) {
    log::error("idempotent_answer_unreadable", {{"reason", to_string(*failure)}});
    return std::nullopt;
  }
  return std::move(std::get<Answer>(entry));
}

}  // namespace

Held::Held(std::shared_ptr<Claims> claims, Speaker speaker, Claimed claimed)
    : claims_(std::move(claims)), speaker_(std::move(speaker)), since_sent_(claimed.since_sent) {
  if (claimed.claim == IdempotencyClaim::Doubt) phase_ = IdempotencyPhase::Sent;
  if (claimed.claim == IdempotencyClaim::Learned) {
    learned_ = decoded(claimed.answer);
    phase_ = learned_ ? IdempotencyPhase::Learned : IdempotencyPhase::Sent;
    encoded_ = std::move(claimed.answer);
  }
  lease_ = claims_->leases_.insert(claims_->leases_.end(), speaker_);
}

Held::~Held() {
  claims_->leases_.erase(lease_);
  if (closed_ || claims_->stopped_) return;
  // The answer is there, but the write has not ended: whoever repeats ends it.
  const auto step = phase_ == IdempotencyPhase::Learned ? IdempotencyStep::Learn : last_step();
  claims_->say_later({speaker_, step, std::move(encoded_)});
}

asio::awaitable<bool> Held::about_to_send() {
  const auto said = co_await claims_->say(speaker_, IdempotencyStep::Send, {}, kPatience);
  if (said.value_or(false)) phase_ = IdempotencyPhase::Sent;
  // Without a reply the store may have noted that it was sent, which will not happen: the destructor corrects that.
  co_return said.value_or(false);
}

asio::awaitable<void> Held::not_applied() {
  if (phase_ == IdempotencyPhase::UnderWay) co_return;
  phase_ = IdempotencyPhase::UnderWay;
  co_await claims_->say(speaker_, IdempotencyStep::NotApplied, {}, milliseconds(0));
}

asio::awaitable<void> Held::learn(Answer answer) {
  encoded_ = cache::encode(answer);
  phase_ = IdempotencyPhase::Learned;
  co_await claims_->say(speaker_, IdempotencyStep::Learn, encoded_, milliseconds(0));
}

IdempotencyStep Held::last_step() const {
  if (phase_ == IdempotencyPhase::UnderWay) return IdempotencyStep::Release;
  return phase_ == IdempotencyPhase::Learned ? IdempotencyStep::Settle : IdempotencyStep::Doubt;
}

asio::awaitable<void> Held::conclude() {
  if (std::exchange(closed_, true)) co_return;
  const auto step = last_step();
  const auto said = co_await claims_->say(speaker_, step, encoded_, kPatience);
  if (!said) claims_->say_later({speaker_, step, encoded_});
}

Claims::Claims(asio::io_context& io, std::unique_ptr<Store> store, std::function<void(std::string_view)> count)
    : io_(io), store_(std::move(store)), count_(std::move(count)), beat_(io) {}

void Claims::start() {
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->renew(); }, log::logged("idempotency_failed"));
}

void Claims::stop() {
  stopped_ = true;
  beat_.cancel();
}

asio::awaitable<ClaimResult> Claims::claim(Named named, Clock::time_point deadline) {
  constexpr milliseconds kFirstLook{10}, kLongestLook{250};
  const auto self = shared_from_this();
  const auto speaker = speaker_of(named);
  const auto give_up = std::min(deadline, Clock::now() + kPatience);
  milliseconds look = kFirstLook;
  for (;;) {
    auto claimed = co_await store_->claim(speaker);
    if (!claimed) {
      if (Clock::now() >= give_up || stopped_) {
        count_("unavailable");
        co_return Unavailable{};
      }
      co_await store_->reachable(std::chrono::ceil<milliseconds>(give_up - Clock::now()));
      continue;
    }
    const bool waits = claimed->claim == IdempotencyClaim::InProgress && Clock::now() < deadline;
    if (!waits) count_(to_string(claimed->claim));
    switch (claimed->claim) {
      case IdempotencyClaim::Mismatch:
        co_return Mismatch{};
      case IdempotencyClaim::Replay:
        if (auto answer = decoded(claimed->answer)) co_return std::move(*answer);
        co_return Unavailable{};
      case IdempotencyClaim::InProgress:
        break;
      default:
        co_return std::make_shared<Held>(self, speaker, std::move(*claimed));
    }
    if (!waits) co_return InProgress{};
    asio::steady_timer pause(io_, std::min<Clock::duration>(look, deadline - Clock::now()));
    co_await pause.async_wait(asio::use_awaitable);
    look = std::min(kLongestLook, look * 3 / 2);
  }
}

asio::awaitable<std::optional<bool>> Claims::say(Speaker speaker, IdempotencyStep step, std::string answer,
                                                 milliseconds patience) {
  const auto self = shared_from_this();
  const auto give_up = Clock::now() + patience;
  for (;;) {
    const auto said = co_await store_->advance(speaker, step, answer);
    if (said || Clock::now() >= give_up || stopped_) co_return said;
    co_await store_->reachable(std::chrono::ceil<milliseconds>(give_up - Clock::now()));
  }
}

void Claims::say_later(Unsaid unsaid) {
  if (unsaid_.size() == kMostUnsaid) {
    log::error("idempotency_unsaid", {{"detail", std::string_view("Redis is away for too long: a key is in doubt")}});
    count_("lost");
    unsaid_.pop_front();
  }
  unsaid_.push_back(std::move(unsaid));
  beat_.cancel();
}

asio::awaitable<void> Claims::renew() {
  while (!stopped_) {
    co_await repeat_unsaid();
    const std::list<Speaker> held = leases_;
    for (const auto& speaker : held)
      asio::co_spawn(
          io_,
          [self = shared_from_this(), speaker]() -> asio::awaitable<void> {
            co_await self->store_->advance(speaker, IdempotencyStep::Renew, {});
          },
          log::logged("idempotency_failed"));
    beat_.expires_after(kRenewEvery);
    asio::error_code woken;
    co_await beat_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

// In their order; the first without a reply ends the round.
asio::awaitable<void> Claims::repeat_unsaid() {
  while (!unsaid_.empty() && !stopped_) {
    auto next = std::move(unsaid_.front());
    unsaid_.pop_front();
    const auto said = co_await store_->advance(next.speaker, next.step, next.answer);
    if (said) continue;
    unsaid_.push_front(std::move(next));
    co_return;
  }
}

}  // namespace gateway::idempotency
