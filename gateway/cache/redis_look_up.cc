// RedisTier's lookup: the one thing that every read which memory cannot answer asks of Redis, so it goes without a
// coroutine and its reply is read where hiredis holds it.
//
// Where most lookups of late found their entry, it first asks with plain commands in one round trip, which cost Redis
// less than half of what the script does, and answers if they show a hit; anything else is the script's, with a round
// trip more. The commands are no transaction, and need not be. In their order, which Redis keeps:
//   1. the epoch, with the server's run_id and the end of the last lease
//   2. each surrogate key's generation and marks
//   3. the entry, which holds the epoch and the generations that it was fetched under (its stamp)
//   4. a write that changes nothing: a server that is no master any more refuses it, as it does the script
//   5. Redis' clock
// A write that was answered before this read began had given its keys new generations before 2., so what 2. reads are
// its own or later ones, and an entry that bears all of them was looked up for after that write had begun, by a fetch
// that saw no mark, hence after it had ended or its mark's time was over: the same argument as for the script, for each
// write by itself. A write that begins between two of the steps is not answered when this read begins, so that either
// answer is right. The clock comes last: if Redis stood still between the steps, the last lease is seen to be over, and
// a late clock makes an entry older, never younger. What the answers are worth is decided in policies/plain_look_up.h;
// tests/model takes these steps with everything that others may do between them, and finds a stale read without any of
// the checks but that for marks, which no entry under these generations can meet.
// Lookups that come in one turn of the loop share a round: 1., then 2. and 3. of each, then 4. and 5. For each of them
// that is the same order, and all of it is sent after each of them was asked for.
#include <algorithm>
#include <asio/associated_executor.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "gateway/cache/codec.h"
#include "gateway/cache/redis_tier.h"
#include "gateway/cache/scripts.h"
#include "gateway/random.h"
#include "gateway/redis/call.h"
#include "gateway/redis/reply_view.h"
#include "policies/plain_look_up.h"

namespace gateway::cache {

class RedisTier::LookUp final : public redis::Call, public std::enable_shared_from_this<LookUp> {
 public:
  LookUp(RedisTier& tier, LookedFor what, std::chrono::milliseconds limit, std::function<void(Found)> then)
      : tier_(tier), what_(std::move(what)), until_(std::chrono::steady_clock::now() + limit), then_(std::move(then)) {}

  void send() {
    // Nobody waits again for a server that has left others waiting.
    if (tier_.client_.silent()) return asio::post(tier_.io_, [self = shared_from_this()] { self->give_up(); });
    // Its share of the round must leave time for a script after it, and must not shorten the others' much.
    const auto time = left();
    plain_ = tier_.finds_.likely() && time > 2 * tier_.took_ && 2 * time >= tier_.options_.timeout;
    sent_ = std::chrono::steady_clock::now();
    if (plain_)
      tier_.join_round(shared_from_this());
    else
      send_script("EVALSHA", scripts::look_up()->sha1);
  }

  void take(const redis::ReplyView& reply) override { take_script(reply); }

  void done(std::optional<redis::Unavailable> why) override {
    const auto now = std::chrono::steady_clock::now();
    tier_.took_ = now - std::exchange(sent_, now);
    if (std::exchange(plain_, false) && !why && !found_.entry) {
      tier_.finds_.missed();
      found_ = {};
      bad_entry_.reset();
      return send_script("EVALSHA", scripts::look_up()->sha1);
    }
    // The whole source runs it and leaves it loaded; NOSCRIPT means that nothing ran yet.
    if (std::exchange(script_unknown_, false)) return send_script("EVAL", scripts::look_up()->source);
    if (why) return give_up();
    if (found_.available) found_.entry ? tier_.finds_.found() : tier_.finds_.missed();
    if (bad_entry_ && tier_.options_.on_bad_entry) tier_.options_.on_bad_entry(to_string(*bad_entry_));
    if (found_.claimed) tier_.led_[*what_.key] = token_;
    then_(std::move(found_));
  }
  void give_up() {
    found_ = {};
    found_.available = false;
    then_(std::move(found_));
  }

  // Its part of a round, which ends with done(). Any doubt leaves `found_` without an entry.
  void say(redis::Words& words) const {
    constexpr std::size_t kSurrogateWords = 2, kEntryWords = 3;
    for (const auto& surrogate : *what_.surrogate_keys)
      words.command(kSurrogateWords).add("HGETALL").add(kSurrogatePrefix, surrogate);
    words.command(kEntryWords).add("HGET").add(kEntryPrefix, *what_.key).add("d");
  }
  void take_epoch(const policies::coherence::PlainLookUp& seen) {
    seen_ = seen;
    seen_.reserve(what_.surrogate_keys->size());
  }
  // True: that was the last of what say() asked for.
  bool take_own(const redis::ReplyView& reply) {
    if (step_++ < what_.surrogate_keys->size()) {
      const bool generation_alone = reply.size() == 2 && reply.at(0).text() == "g";
      seen_.key(reply.at(1).number(), !generation_alone);
      return false;
    }
    if (const auto stored = reply.text(); stored && !seen_.doubtful()) take_entry(*stored);
    return true;
  }
  void take_end(bool write_refused, std::chrono::milliseconds now) {
    if (write_refused) seen_.write_refused();
    found_.now = now;
    if (!seen_.may_serve_at(now)) found_.entry.reset();
    found_.view = std::move(seen_).view();
  }
  // What is left of its time: both ways together take no longer than one may.
  std::chrono::milliseconds left() const {
    const auto left = until_ - std::chrono::steady_clock::now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
  }

 private:
  // Places in the script's reply.
  enum : std::size_t { kEpoch, kNow, kLeads, kData, kGenerations };

  void take_script(const redis::ReplyView& reply) {
    const auto error = reply.error();
    script_unknown_ = error && error->starts_with("NOSCRIPT");
    const std::size_t generations_end = kGenerations + what_.surrogate_keys->size();
    found_.view.epoch = reply.at(kEpoch).number();
    found_.available = reply.size() >= generations_end && found_.view.epoch != 0;
    if (!found_.available) return;
    found_.now = std::chrono::milliseconds(reply.at(kNow).number());
    found_.leads = reply.at(kLeads).number() == 1;
    found_.view.generations.reserve(what_.surrogate_keys->size());
    for (std::size_t i = kGenerations; i < reply.size(); ++i) {
      auto& side = i < generations_end ? found_.view.generations : found_.view.marks;
      side.push_back(reply.at(i).number());
      if (i < generations_end && side.back() == 0) found_.available = false;  // no number that the script answers
    }
    auto& marks = found_.view.marks;
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    if (!found_.available) return;
    if (const auto stored = reply.at(kData).text())
      take_entry(*stored);
    else
      found_.claimed = found_.leads && marks.empty();
  }

  void send_script(std::string_view command, std::string_view script) {
    constexpr std::size_t kFixedKeys = 4, kArguments = 4, kBeforeKeys = 3;
    token_ = tier_.options_.replica + ':' + std::to_string(random_id());
    const auto& surrogates = *what_.surrogate_keys;
    redis::Words words;
    words.command(kBeforeKeys + kFixedKeys + surrogates.size() + kArguments);
    words.add(command).add(script).add(kFixedKeys + surrogates.size());
    words.add(kEpochKey).add(kLogKey).add(kEntryPrefix, *what_.key).add(kFlightPrefix, *what_.key);
    for (const auto& surrogate : surrogates) words.add(kSurrogatePrefix, surrogate);
    words.add(tier_.client_.status().run_id).add(random_id()).add(token_).add(random_id() >> 12);
    tier_.client_.ask("look_up", words, shared_from_this(), left());
  }

  void take_entry(std::string_view stored) {
    const auto decoded = decode_view(stored);
    const auto* view = std::get_if<StoredView>(&decoded);
    if (view == nullptr || view->head.empty()) {
      bad_entry_ = view ? DecodeFailure::Malformed : std::get<DecodeFailure>(decoded);
      return;
    }
    policies::coherence::Stamp stamp{view->epoch, {}};
    stamp.generations.reserve(view->generations.size());
    for (const auto& [name, generation] : view->generations) stamp.generations.push_back(generation);
    if (plain_ ? seen_.entry(stamp) : policies::coherence::may_serve(stamp, found_.view))
      found_.entry.emplace(entry_of(*view), std::chrono::milliseconds(view->stored_at_ms));
  }

  static std::shared_ptr<Entry> entry_of(const StoredView& view) {
    using std::chrono::milliseconds;
    auto entry = Entry::make(view.status, view.head, view.body());
    entry->set_lifetimes({milliseconds(view.initial_age_ms), milliseconds(view.fresh_ms),
                          milliseconds(view.stale_while_revalidate_ms), milliseconds(view.stale_if_error_ms),
                          view.must_revalidate});
    return entry;
  }

  RedisTier& tier_;
  const LookedFor what_;
  const std::chrono::steady_clock::time_point until_;
  const std::function<void(Found)> then_;
  std::string token_;
  Found found_;
  std::chrono::steady_clock::time_point sent_;
  bool script_unknown_ = false;
  // Of the plain way.
  bool plain_ = false;
  std::size_t step_ = 0;
  policies::coherence::PlainLookUp seen_;
  std::optional<DecodeFailure> bad_entry_;
};

// The plain lookups of one turn of the loop.
class RedisTier::Round final : public redis::Call, public std::enable_shared_from_this<Round> {
 public:
  explicit Round(RedisTier& tier) : tier_(tier) {
    constexpr std::size_t kEpochWords = 5;
    words_.command(kEpochWords).add("HMGET").add(kEpochKey).add("epoch").add("run").add("until");
  }

  void add(std::shared_ptr<LookUp> look_up) {
    look_up->say(words_);
    limit_ = std::min(limit_, look_up->left());
    look_ups_.push_back(std::move(look_up));
  }
  bool full() const { return look_ups_.size() == kMost; }

  void send() {
    constexpr std::size_t kWriteWords = 2;
    words_.command(kWriteWords).add("PERSIST").add(kEpochKey);
    words_.command(1).add("TIME");
    run_id_ = tier_.client_.status().run_id;  // of the server that this is sent to now
    tier_.client_.ask("look_up", words_, shared_from_this(), limit_);
  }

  void take(const redis::ReplyView& reply) override {
    if (step_ == Step::Epoch) {
      take_epoch(reply);
      step_ = Step::LookUps;
    } else if (step_ == Step::LookUps) {
      if (look_ups_[place_]->take_own(reply) && ++place_ == look_ups_.size()) step_ = Step::Write;
    } else if (step_ == Step::Write) {
      write_refused_ = reply.error().has_value();
      step_ = Step::Time;
    } else {
      const std::chrono::milliseconds now(reply.at(0).number() * 1'000 + reply.at(1).number() / 1'000);
      for (const auto& look_up : look_ups_) look_up->take_end(write_refused_, now);
    }
  }

  void done(std::optional<redis::Unavailable> why) override {
    redis::tell_all(look_ups_, [&](const std::shared_ptr<LookUp>& look_up) { look_up->done(why); });
  }

 private:
  static constexpr std::size_t kMost = 64;
  enum class Step : std::uint8_t { Epoch, LookUps, Write, Time };

  void take_epoch(const redis::ReplyView& reply) {
    policies::coherence::PlainLookUp seen;
    const auto last_lease_ends =
        reply.at(2).text() ? std::optional(std::chrono::milliseconds(reply.at(2).number())) : std::nullopt;
    seen.epoch(reply.at(0).number(), reply.at(1).text() == run_id_, last_lease_ends);
    for (const auto& look_up : look_ups_) look_up->take_epoch(seen);
  }

  RedisTier& tier_;
  std::string run_id_;
  redis::Words words_;
  std::chrono::milliseconds limit_ = std::chrono::milliseconds::max();
  std::vector<std::shared_ptr<LookUp>> look_ups_;
  Step step_ = Step::Epoch;
  std::size_t place_ = 0;
  bool write_refused_ = false;
};

void RedisTier::join_round(std::shared_ptr<LookUp> look_up) {
  if (!round_) {
    round_ = std::make_shared<Round>(*this);
    asio::post(io_, [this, round = std::weak_ptr(round_)] {
      if (round_ && round_ == round.lock()) send_round();
    });
  }
  round_->add(std::move(look_up));
  if (round_->full()) send_round();
}

void RedisTier::send_round() { std::exchange(round_, nullptr)->send(); }

bool RedisTier::look_up_for(LookedFor what, std::function<void(Found)> then) {
  auto turn = lookups_.turn(*what.key);
  if (!turn) return false;
  const auto limit = lookups_.limit(*turn);
  std::make_shared<LookUp>(*this, std::move(what), limit,
                           [turn = std::move(turn), then = std::move(then)](Found found) mutable {
                             Lookups::found(*turn, found);
                             turn.reset();
                             then(std::move(found));
                           })
      ->send();
  return true;
}

// Without a cancellation slot: it lasts for redis.timeout at most, and a right to fetch that it took must be known.
asio::awaitable<Found> RedisTier::ask(std::string key, std::vector<std::string> surrogate_keys,
                                      std::chrono::milliseconds limit) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Found)>(
      [this](auto handler, std::string of, std::vector<std::string> surrogates, std::chrono::milliseconds most) {
        const auto to = std::make_shared<decltype(handler)>(std::move(handler));
        LookedFor what{std::make_shared<const std::string>(std::move(of)),
                       std::make_shared<const std::vector<std::string>>(std::move(surrogates))};
        std::make_shared<LookUp>(*this, std::move(what), most, [this, to](Found found) {
          asio::post(asio::get_associated_executor(*to, io_.get_executor()),
                     [to, found = std::move(found)]() mutable { std::move (*to)(std::move(found)); });
        })->send();
      },
      asio::use_awaitable, std::move(key), std::move(surrogate_keys), limit);
}

}  // namespace gateway::cache
