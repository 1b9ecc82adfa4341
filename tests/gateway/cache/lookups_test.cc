// Lookups: who shares one, and that nobody is answered by one from before he asked.
#include "gateway/cache/lookups.h"

#include <doctest/doctest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <vector>

using gateway::cache::Found;
using gateway::cache::Lookups;
using std::chrono::milliseconds;

namespace {

// A shared tier whose answers the test gives, in the order asked. An answer says how many were sent before it.
struct Tier {
  asio::io_context io;
  struct Asked {
    std::string key;
    milliseconds limit;
    std::shared_ptr<asio::steady_timer> timer;
    bool available = true;
  };
  std::vector<std::shared_ptr<Asked>> asked;
  Lookups lookups{io, milliseconds(50), [this](std::string key, std::vector<std::string>, milliseconds limit) {
                    return ask(std::move(key), limit);
                  }};

  asio::awaitable<Found> ask(std::string key, milliseconds limit) {
    auto mine = std::make_shared<Asked>(
        Asked{std::move(key), limit, std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max())});
    asked.push_back(mine);
    const auto number = asked.size();
    asio::error_code cancelled;
    co_await mine->timer->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw asio::system_error(asio::error::operation_aborted);
    Found found;
    found.available = mine->available;
    found.claimed = true;
    found.now = milliseconds(static_cast<int>(number));
    co_return found;
  }
  void settle() {
    io.restart();
    io.poll();
  }
  void answer(std::size_t which, bool available = true) {
    asked[which]->available = available;
    asked[which]->timer->cancel();
    settle();
  }
};

struct Reader {
  std::optional<Found> found;
  bool failed = false;
  asio::cancellation_signal leave;
  std::size_t sent_before = 0;
};

std::shared_ptr<Reader> read(Tier& tier, const std::string& key = "k") {
  auto reader = std::make_shared<Reader>();
  reader->sent_before = tier.asked.size();
  asio::co_spawn(
      tier.io,
      [&tier, reader, key]() -> asio::awaitable<void> {
        reader->found = co_await tier.lookups.look_up(key, {"contact:1"});
      },
      asio::bind_cancellation_slot(reader->leave.slot(),
                                   [reader](std::exception_ptr error) { reader->failed = !!error; }));
  tier.settle();
  return reader;
}

}  // namespace

TEST_CASE("a thousand reads of one key that come together are two lookups, each sent after those it answers began") {
  Tier tier;
  std::vector<std::shared_ptr<Reader>> readers;
  for (int i = 0; i < 1'000; ++i) readers.push_back(read(tier));
  CHECK(tier.asked.size() == 1);
  tier.answer(0);
  CHECK(tier.asked.size() == 2);
  CHECK(readers[0]->found);
  CHECK_FALSE(readers[1]->found);
  tier.answer(1);
  int claimed = 0;
  for (const auto& reader : readers) {
    REQUIRE(reader->found);
    CHECK(reader->found->now.count() > static_cast<std::int64_t>(reader->sent_before));
    claimed += reader->found->claimed ? 1 : 0;
  }
  CHECK(claimed == 2);  // one of each lookup
  CHECK(tier.asked.size() == 2);
}

TEST_CASE("reads of different keys do not wait for each other") {
  Tier tier;
  const auto one = read(tier, "one"), other = read(tier, "other");
  CHECK(tier.asked.size() == 2);
  tier.answer(1);
  CHECK(other->found);
  CHECK_FALSE(one->found);
  tier.answer(0);
  CHECK(one->found);
}

TEST_CASE("a reader that leaves takes nothing from the others, whether it was sending, waiting or next") {
  Tier tier;
  const auto first = read(tier), second = read(tier), third = read(tier);
  second->leave.emit(asio::cancellation_type::terminal);
  tier.settle();
  CHECK(second->failed);
  first->leave.emit(asio::cancellation_type::terminal);
  tier.settle();
  CHECK(first->failed);
  REQUIRE(tier.asked.size() == 2);
  const auto fourth = read(tier);
  third->leave.emit(asio::cancellation_type::terminal);
  tier.settle();
  CHECK(third->failed);
  REQUIRE(tier.asked.size() == 3);
  tier.answer(2);
  REQUIRE(fourth->found);
  CHECK(fourth->found->now == milliseconds(3));
}

TEST_CASE("those who share a lookup whose sender left look up again") {
  Tier tier;
  const auto first = read(tier), second = read(tier), third = read(tier);
  tier.answer(0);
  REQUIRE(tier.asked.size() == 2);
  second->leave.emit(asio::cancellation_type::terminal);
  tier.settle();
  REQUIRE(tier.asked.size() == 3);
  CHECK_FALSE(third->found);
  tier.answer(2);
  CHECK(third->found);
}

TEST_CASE("where Redis does not answer, those who waited are told at once, and no read waits for two time limits") {
  Tier tier;
  const auto first = read(tier), second = read(tier);
  CHECK(tier.asked[0]->limit == milliseconds(50));
  tier.answer(0, false);
  REQUIRE(second->found);
  CHECK_FALSE(second->found->available);
  CHECK(tier.asked.size() == 1);

  const auto third = read(tier), fourth = read(tier);
  const auto late = std::chrono::steady_clock::now() + milliseconds(20);
  while (std::chrono::steady_clock::now() < late) tier.settle();
  tier.answer(1);
  REQUIRE(tier.asked.size() == 3);
  CHECK(tier.asked[2]->limit <= milliseconds(31));
  tier.answer(2);
  CHECK(fourth->found);
}
