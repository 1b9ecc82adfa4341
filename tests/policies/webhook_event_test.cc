#include "policies/webhook_event.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("webhook_event");

TEST_CASE("points in time are read as senders write them") {
  const struct {
    std::string_view text;
    std::optional<long long> millis;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2021-11-26T12:41:02.193Z", 1637930462193},
      {"2021-11-26T12:41:02.19Z", 1637930462190},
      {"2021-11-26T12:41:02.1934567Z", 1637930462193},
      {"2021-11-26 12:41:02Z", 1637930462000},
      {"2023-09-25T16:00:00+05:30", 1695637800000},
      {"2023-09-25T16:00:00-05:30", 1695677400000},
      {"2024-02-29T00:00:00Z", 1709164800000},
      {"1714032441", 1714032441000},
      {"1714032441193", 1714032441193},
      {"2023-02-29T00:00:00Z", std::nullopt},
      {"2021-13-01T00:00:00Z", std::nullopt},
      {"2021-11-26T24:00:00Z", std::nullopt},
      {"2021-11-26T12:41:02", std::nullopt},
      {"2021-11-26T12:41:02.Z", std::nullopt},
      {"2021-11-26T12:41:02Zx", std::nullopt},
      {"2021-11-26", std::nullopt},
      {"171403244119300", std::nullopt},
      {"-1", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    const auto read = parse_timestamp(row.text);
    CHECK(read.has_value() == row.millis.has_value());
    if (read && row.millis) CHECK(read->count() == *row.millis);
  }
}

TEST_CASE("a webhook's body gives type, id and time, or the reason why not") {
  const auto good = read_webhook_event(R"( {"type":"NoteCreate","webhookId":"w1","timestamp":"1970-01-01T00:00:01Z"})");
  REQUIRE(std::holds_alternative<WebhookEvent>(good));
  CHECK(std::get<WebhookEvent>(good).type == "NoteCreate");
  CHECK(std::get<WebhookEvent>(good).id == "w1");
  CHECK(std::get<WebhookEvent>(good).timestamp == 1s);
  CHECK(std::get<WebhookEvent>(read_webhook_event(R"({"type":"A","timestamp":1714032441193})")).id.empty());

  const struct {
    std::string_view body;
    EventProblem problem;
  } cases[] = {
      {"", EventProblem::NotJson},
      {"[]", EventProblem::NotJson},
      {R"({"type":"A","timestamp":1)", EventProblem::NotJson},
      {R"([{"type":"A","timestamp":1}])", EventProblem::NotJson},
      {R"({"timestamp":1})", EventProblem::NoType},
      {R"({"type":"","timestamp":1})", EventProblem::NoType},
      {R"({"type":"A","type":"B","timestamp":1})", EventProblem::NoType},
      {R"({"type":"A"})", EventProblem::NoTimestamp},
      {R"({"type":"A","timestamp":"yesterday"})", EventProblem::NoTimestamp},
      {R"({"type":"A","timestamp":1,"timestamp":2})", EventProblem::NoTimestamp},
      {R"({"type":"A","nested":{"timestamp":1}})", EventProblem::NoTimestamp},
  };
  for (const auto& row : cases) {
    CAPTURE(row.body);
    const auto read = read_webhook_event(row.body);
    REQUIRE(std::holds_alternative<EventProblem>(read));
    CHECK(std::get<EventProblem>(read) == row.problem);
    CHECK_FALSE(to_string(row.problem).empty());
  }
}

TEST_CASE("an event is timely within its age, on both sides of this clock, and its id outlives that") {
  WebhookEvent event;
  event.timestamp = 1'000'000ms;
  const auto age = 5min;
  CHECK(timely(event, event.timestamp, age));
  CHECK(timely(event, event.timestamp + age, age));
  CHECK_FALSE(timely(event, event.timestamp + age + 1ms, age));
  CHECK(timely(event, event.timestamp - age, age));
  CHECK_FALSE(timely(event, event.timestamp - age - 1ms, age));
  // Taken at the earliest moment, it may come again until the last one.
  CHECK((event.timestamp - age) + replay_memory(age) >= event.timestamp + age);
}

TEST_SUITE_END();
