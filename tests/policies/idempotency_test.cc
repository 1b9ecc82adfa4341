#include "policies/idempotency.h"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using policies::advance_idempotency_key;
using policies::claim_idempotency_key;
using policies::IdempotencyRecord;
using policies::parse_idempotency_key;
using Claim = policies::IdempotencyClaim;
using Step = policies::IdempotencyStep;

TEST_SUITE_BEGIN("idempotency");

TEST_CASE("a key is read as a structured string or as bare characters") {
  struct Row {
    std::string value;
    std::optional<std::string> key;
  };
  const Row rows[] = {
      {"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
      {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
      {" \"a b\\\"c\\\\\" ", "a b\"c\\"},
      {std::string(255, 'k'), std::string(255, 'k')},
      {std::string(256, 'k'), {}},
      {"", {}},
      {"\"\"", {}},
      {"\"", {}},
      {"\"a", {}},
      {"\"a\"b\"", {}},
      {"\"a\\x\"", {}},
      {"\"a\\\"", {}},
      {"two words", {}},
      {"one, two", {}},
      {"\"a\";x=1", {}},
      {"caf\xc3\xa9", {}},
      {"\"a\x01\"", {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    CHECK(parse_idempotency_key(row.value) == row.key);
  }
}

namespace {

constexpr policies::Duration kLease = 5s;

struct Key {
  std::optional<IdempotencyRecord> record;
  policies::Instant now{100s};
  Claim claim(std::string_view owner, std::string_view fingerprint = "f") {
    return claim_idempotency_key(record, fingerprint, owner, now, kLease);
  }
  bool advance(std::string_view owner, Step step, std::string_view answer = {}, std::string_view fingerprint = "f") {
    return advance_idempotency_key(record, fingerprint, owner, step, answer, now, kLease);
  }
};

}  // namespace

TEST_CASE("a repeat waits for the first and gets its answer; another request with the key is told so") {
  Key key;
  CHECK(key.claim("a") == Claim::Fresh);
  CHECK(key.claim("a") == Claim::Fresh);  // its reply was lost
  CHECK(key.claim("b") == Claim::InProgress);
  CHECK(key.claim("b", "g") == Claim::Mismatch);
  CHECK(key.advance("a", Step::Send));
  CHECK(key.advance("a", Step::Learn, "answer"));
  CHECK(key.claim("b") == Claim::InProgress);
  CHECK(key.advance("a", Step::Settle, "answer"));
  CHECK(key.claim("b") == Claim::Replay);
  CHECK(key.record->answer == "answer");
  CHECK(key.claim("b", "g") == Claim::Mismatch);
}

TEST_CASE("what a dead owner leaves: a free key, a doubt, its answer") {
  for (const auto& [steps, left] :
       std::vector<std::pair<std::vector<Step>, Claim>>{{{}, Claim::Fresh},
                                                        {{Step::Send}, Claim::Doubt},
                                                        {{Step::Send, Step::NotApplied}, Claim::Fresh},
                                                        {{Step::Send, Step::NotApplied, Step::Send}, Claim::Doubt},
                                                        {{Step::Send, Step::Learn}, Claim::Learned}}) {
    Key key;
    REQUIRE(key.claim("a") == Claim::Fresh);
    for (const auto step : steps) REQUIRE(key.advance("a", step, "answer"));
    key.now += kLease - 1us;
    CHECK(key.claim("b") == Claim::InProgress);
    key.now += 1us;
    CHECK(key.claim("b") == left);
    CHECK(key.claim("c") == Claim::InProgress);
    CHECK_FALSE(key.advance("a", Step::Renew));
    CHECK_FALSE(key.advance("a", Step::Send));  // it only was paused: it must not send any more
  }
}

TEST_CASE("an owner that renews keeps its key, and one that gives it up leaves it at once") {
  Key key;
  REQUIRE(key.claim("a") == Claim::Fresh);
  for (int i = 0; i < 10; ++i) {
    key.now += kLease - 1us;
    CHECK(key.advance("a", Step::Renew));
  }
  CHECK(key.advance("a", Step::Release));
  CHECK(key.claim("b") == Claim::Fresh);
  REQUIRE(key.advance("b", Step::Send));
  REQUIRE(key.advance("b", Step::Doubt));
  CHECK(key.claim("c") == Claim::Doubt);
}

TEST_CASE("whoever knows the answer may say it, even when its lease had run out or its record was lost") {
  Key paused;
  REQUIRE(paused.claim("a") == Claim::Fresh);
  REQUIRE(paused.advance("a", Step::Send));
  paused.now += kLease;
  REQUIRE(paused.claim("b") == Claim::Doubt);
  CHECK(paused.advance("a", Step::Learn, "answer"));
  CHECK_FALSE(paused.advance("b", Step::Send));
  CHECK(paused.advance("a", Step::Settle, "answer"));
  CHECK_FALSE(paused.advance("b", Step::Settle, "another"));
  CHECK(paused.claim("c") == Claim::Replay);
  CHECK(paused.record->answer == "answer");

  Key lost;
  CHECK(lost.advance("a", Step::Renew));
  CHECK_FALSE(lost.record.has_value());
  CHECK(lost.advance("a", Step::Learn, "answer"));
  CHECK(lost.claim("b") == Claim::InProgress);
  lost.record.reset();
  CHECK(lost.advance("a", Step::Settle, "answer"));
  CHECK(lost.claim("b") == Claim::Replay);
  lost.record.reset();
  REQUIRE(lost.claim("b", "g") == Claim::Fresh);  // the key in use for something else by now
  CHECK_FALSE(lost.advance("a", Step::Settle, "answer"));
}

TEST_CASE("an answer is the outcome, or proves that nothing was done, or leaves it in doubt") {
  using Verdict = policies::IdempotencyVerdict;
  for (const int status : {200, 201, 304, 400, 404, 409, 422})
    CHECK(policies::judge_idempotent_answer(status) == Verdict::Keep);
  for (const int status : {401, 403, 408, 429}) CHECK(policies::judge_idempotent_answer(status) == Verdict::NotApplied);
  for (const int status : {500, 501, 502, 503, 504, 599})
    CHECK(policies::judge_idempotent_answer(status) == Verdict::Doubt);
}

TEST_SUITE_END();
