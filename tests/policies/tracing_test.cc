#include "policies/tracing.h"

#include <doctest/doctest.h>

using policies::Fields;
using policies::parse_traceparent;
using policies::SpanId;
using policies::TraceId;

namespace {

const std::string kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";  // of the standard
constexpr TraceId kTrace{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                         0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
constexpr SpanId kSpan{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
constexpr SpanId kOurs{1, 2, 3, 4, 5, 6, 7, 8};

std::string replaced(std::size_t at, std::string_view with) {
  std::string text = kExample;
  return text.replace(at, with.size(), with);
}

}  // namespace

TEST_SUITE("tracing") {
  TEST_CASE("the standard's example is read and written back") {
    const auto parsed = parse_traceparent(kExample);
    REQUIRE(parsed.has_value());
    CHECK(parsed->trace == kTrace);
    CHECK(parsed->parent == kSpan);
    CHECK(parsed->sampled);
    CHECK(policies::format_traceparent(*parsed) == kExample);
  }

  TEST_CASE("versions and flags are read as the standard says, malformed ones not at all") {
    struct Case {
      std::string text;
      bool valid;
      bool sampled;
    };
    const Case cases[] = {
        {replaced(53, "00"), true, false},
        {replaced(53, "02"), true, false},
        {replaced(53, "ff"), true, true},
        {replaced(0, "01"), true, true},
        {replaced(0, "cc") + "-what-may-come", true, true},
        {replaced(0, "01") + "-", true, true},
        {replaced(0, "01") + "x", false, false},
        {replaced(0, "ff"), false, false},
        {kExample + "-more", false, false},
        {kExample + " ", false, false},
        {" " + kExample, false, false},
        {kExample.substr(0, 54), false, false},
        {"", false, false},
        {replaced(3, "4BF9"), false, false},
        {replaced(3, "zz"), false, false},
        {replaced(0, "0x"), false, false},
        {replaced(53, "0g"), false, false},
        {replaced(36, "0F"), false, false},
        {replaced(2, "_"), false, false},
        {replaced(35, "_"), false, false},
        {replaced(52, "_"), false, false},
        {replaced(3, std::string(32, '0')), false, false},
        {replaced(36, std::string(16, '0')), false, false},
    };
    for (const auto& row : cases) {
      CAPTURE(row.text);
      const auto parsed = parse_traceparent(row.text);
      CHECK(parsed.has_value() == row.valid);
      if (parsed) CHECK(parsed->sampled == row.sampled);
    }
  }

  TEST_CASE("a traceparent sent twice, or none, counts as absent") {
    CHECK(policies::received_traceparent(Fields{{"TraceParent", kExample}}.view()).has_value());
    CHECK_FALSE(policies::received_traceparent(Fields{{"traceparent", kExample}, {"Traceparent", kExample}}.view())
                    .has_value());
    CHECK_FALSE(policies::received_traceparent(Fields{{"tracestate", "a=1"}}.view()).has_value());
  }

  TEST_CASE("a received trace goes on under our span, and keeps its sampling decision") {
    for (const auto& [flags, sampled] : {std::pair("01", true), std::pair("00", false)}) {
      const auto onward = policies::continued(parse_traceparent(replaced(53, flags)), TraceId{9}, kOurs);
      CHECK(onward == policies::TraceParent{kTrace, kOurs, sampled});
    }
    CHECK(policies::format_traceparent(policies::continued(parse_traceparent(replaced(0, "cc") + "-x"), {}, kOurs)) ==
          "00-4bf92f3577b34da6a3ce929d0e0e4736-0102030405060708-01");
  }

  TEST_CASE("without one a new, sampled trace begins, and its ids are never zeros") {
    CHECK(policies::continued(std::nullopt, kTrace, kOurs) == policies::TraceParent{kTrace, kOurs, true});
    const auto guarded = policies::continued(std::nullopt, {}, {});
    CHECK(parse_traceparent(policies::format_traceparent(guarded)) == guarded);
  }
}
