#include "policies/priority.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;

namespace {

Priority priority(std::string_view value) {
  const std::vector<FieldView> fields{{"priority", value}};
  return priority_of(fields);
}
std::optional<std::chrono::seconds> wait_of(std::string_view value) {
  const std::vector<FieldView> fields{{"PREFER", value}};
  return preferred_wait(fields);
}
const Priority kDefault{};

}  // namespace

TEST_SUITE_BEGIN("priority");

TEST_CASE("urgency and incremental are read from the dictionary") {
  CHECK(kDefault == Priority{3, false});
  CHECK(priority_of({}) == kDefault);
  for (int u = 0; u <= 7; ++u) CHECK(priority("u=" + std::to_string(u)) == Priority{u, false});
  CHECK(priority("i") == Priority{3, true});
  CHECK(priority("i=?1, u=5") == Priority{5, true});
  CHECK(priority("u=1;x=2 ,\ti=?0") == Priority{1, false});
  CHECK(priority("u=1, u=2") == Priority{2, false});
  const std::vector<FieldView> lines{{"Priority", "u=1"}, {"Priority", "i"}};
  CHECK(priority_of(lines) == Priority{1, true});
}

TEST_CASE("members that are unknown, ill-typed or out of range are ignored") {
  for (const std::string_view text :
       {"u=8", "u=-1", "u=1.0", "u=\"1\"", "u=?1", "u", "u=token", "u=(1)", "u=(1 2)", "u=07", "i=1", "i=(?1)", "x=1",
        "*=:aGk=:, x_-.*=\"a\\\"b\\\\\"", "x=tok/en:*;a;b=?0", "x=()", "x=(a;b=1 \"c\" )", "x=-123456789012.123"}) {
    CAPTURE(text);
    CHECK(priority(text) == kDefault);
  }
}

TEST_CASE("one error voids the field") {
  for (const std::string_view text : {"u=1,",
                                      "u=1 u=2",
                                      "U=1",
                                      "u=1, =2",
                                      "u=1, x=",
                                      "u=1, x=\"a",
                                      "u=1, x=\"\\a\"",
                                      "u=1, x=?2",
                                      "u=1, x=(1",
                                      "u=1, x=(1,2)",
                                      "u=1, x=:a",
                                      "u=1, x=1.",
                                      "u=1, x=1.2345",
                                      "u=1, x=1234567890123456",
                                      "u=1;",
                                      "u=1; ;a",
                                      "u =1",
                                      "u=1, x=\xc3",
                                      "u=1, (1)",
                                      "u=1, x=(1\"a\")",
                                      "u=1 ,\t",
                                      ","}) {
    CAPTURE(text);
    CHECK(priority(text) == kDefault);
  }
}

TEST_CASE("a preferred wait is read among other preferences") {
  CHECK(wait_of("wait=10") == 10s);
  CHECK(wait_of("respond-async, Wait=5; x=1") == 5s);
  CHECK(wait_of("x=\"1\" , wait = \"7\"") == 7s);
  CHECK(wait_of("wait=0") == 0s);
  CHECK(wait_of("wait=1, wait=9") == 1s);
  CHECK(wait_of("wait=99999999999999999999") == std::chrono::seconds{2'147'483'648});
  const std::vector<FieldView> lines{{"Prefer", "return=minimal"}, {"prefer", "wait=3"}};
  CHECK(preferred_wait(lines) == 3s);
}

TEST_CASE("a wait that is no number of seconds is none") {
  for (const std::string_view text :
       {"", "wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "waits=1", "x; wait=1", "=1"})
    CHECK(wait_of(text) == std::nullopt);
  CHECK(preferred_wait({}) == std::nullopt);
}

TEST_SUITE_END();
