#include "policies/idempotency.h"

#include <doctest/doctest.h>

using policies::decide_idempotency;
using policies::IdempotencyDecision;
using policies::IdempotencyRecord;
using policies::parse_idempotency_key;

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

TEST_CASE("a repeat is replayed, waits for the first, or is refused with another body") {
  CHECK(decide_idempotency({}, "f") == IdempotencyDecision::Fresh);
  CHECK(decide_idempotency(IdempotencyRecord{"f", true}, "f") == IdempotencyDecision::Replay);
  CHECK(decide_idempotency(IdempotencyRecord{"f", false}, "f") == IdempotencyDecision::InProgress);
  CHECK(decide_idempotency(IdempotencyRecord{"f", true}, "g") == IdempotencyDecision::Mismatch);
  CHECK(decide_idempotency(IdempotencyRecord{"f", false}, "g") == IdempotencyDecision::Mismatch);
}

TEST_CASE("only an answer that settles the request is kept") {
  for (const int kept : {200, 201, 400, 404, 422}) CHECK(policies::keeps_answer(kept));
  for (const int free : {0, 401, 429, 500, 502, 503, 504}) CHECK_FALSE(policies::keeps_answer(free));
}

TEST_SUITE_END();
