#include "gateway/exchange/own_paths.h"

#include <doctest/doctest.h>

using gateway::exchange::OwnPaths;
using policies::Catalogue;

namespace {

std::string matched(const OwnPaths& paths, std::string_view method, std::string_view path) {
  const auto result = paths.match(method, path);
  if (std::holds_alternative<policies::UnknownPath>(result)) return "404";
  if (const auto* wrong = std::get_if<policies::WrongMethod>(&result)) return "405 " + wrong->allow;
  return std::get<policies::Match>(result).operation->name;
}

}  // namespace

TEST_SUITE("own paths") {
  TEST_CASE("a path is there once it has a handler, for every method alike") {
    OwnPaths paths(Catalogue::own());
    CHECK(matched(paths, "GET", "/gateway/contacts/c1/record") == "404");
    CHECK(matched(paths, "POST", "/gateway/contacts/c1/record") == "404");
    paths.handle("get-record", [](auto) {});
    CHECK(matched(paths, "GET", "/gateway/contacts/c1/record") == "get-record");
    CHECK(matched(paths, "HEAD", "/gateway/contacts/c1/record") == "get-record");
    CHECK(matched(paths, "POST", "/gateway/contacts/c1/record") == "405 GET, HEAD");
    CHECK(matched(paths, "POST", "/gateway/leads/site") == "404");
    CHECK(matched(paths, "GET", "/gateway/contacts/c1/tasks") == "404");
    CHECK_THROWS_AS(paths.handle("get-nothing", [](auto) {}), std::logic_error);
  }

  TEST_CASE("a handler belongs to its own path and to none of upstream's") {
    OwnPaths paths(Catalogue::own());
    std::string called;
    for (const auto& operation : Catalogue::own().operations())
      paths.handle(operation.name, [&called, name = operation.name](auto) { called = name; });
    for (const auto& operation : Catalogue::own().operations()) {
      const auto* handler = paths.handler_of(operation);
      REQUIRE(handler != nullptr);
      (*handler)(nullptr);
      CHECK(called == operation.name);
    }
    for (const auto& operation : Catalogue::builtin().operations()) CHECK(paths.handler_of(operation) == nullptr);
  }

  TEST_CASE("indices of the own paths follow those of upstream's operations") {
    std::size_t next = 0;
    for (const auto* catalogue : {&Catalogue::builtin(), &Catalogue::own()})
      for (const auto& operation : catalogue->operations()) CHECK(operation.index == next++);
  }
}
