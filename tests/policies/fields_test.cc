#include "policies/fields.h"

#include <doctest/doctest.h>

using policies::Fields;

TEST_CASE("field names compare without case and repeated lines are kept in order") {
  Fields fields{{"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}, {"X-One", "1"}};
  CHECK(fields.find("SET-COOKIE") == "a=1");
  CHECK(policies::combined_field(fields.view(), "Set-Cookie") == "a=1, b=2");
  CHECK_FALSE(policies::combined_field(fields.view(), "Missing").has_value());
  fields.set("SET-cookie", "c=3");
  CHECK(fields.size() == 2);
  CHECK(fields.find("set-cookie") == "c=3");
}
