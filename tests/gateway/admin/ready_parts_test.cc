#include "gateway/admin/ready_parts.h"

#include <doctest/doctest.h>

using namespace gateway::admin;

TEST_SUITE("admin") {
  TEST_CASE("the listeners are not ready while nobody new gets in, and say why") {
    CHECK(listeners_part(false, 0, 100).ready);
    CHECK(listeners_part(false, 99, 100).why.empty());
    CHECK_FALSE(listeners_part(false, 100, 100).ready);
    CHECK(listeners_part(false, 100, 100).why == "all 100 connections are in use: another one gets 503");
    CHECK_FALSE(listeners_part(true, 0, 100).ready);
    CHECK(listeners_part(true, 100, 100).why.find("ending") != std::string::npos);
  }

  TEST_CASE("a gateway that refuses for want of memory is not ready and names the limit") {
    CHECK(memory_part(false, 1'024).ready);
    CHECK(memory_part(false, 1'024).why.empty());
    CHECK_FALSE(memory_part(true, 1'024).ready);
    CHECK(memory_part(true, 1'024).why.find("server.memory_limit (1024 bytes)") != std::string::npos);
  }

  TEST_CASE("open circuits are named, a few of them, and do not make the gateway unready") {
    CHECK(upstream_part({}).why.empty());
    const auto one = upstream_part({"loc_a"}), many = upstream_part({"a", "b", "c", "d", "other"});
    CHECK((one.ready && many.ready));
    CHECK(one.why.find("fails for loc_a: the circuit is open") != std::string::npos);
    CHECK(many.why.find("fails for a, b, c and 2 more:") != std::string::npos);
  }
}
