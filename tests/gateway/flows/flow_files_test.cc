#include "gateway/flows/flow_files.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

using gateway::flows::load_flows;

namespace {
constexpr const char* kFlow = R"({"name":"tag","on":{"lead":"*"},"do":[
  {"step":"tag","operation":"add-tags","path":{"contactId":{"$from":"event.id"}},"body":{"tags":["new"]}}]})";
}

TEST_SUITE("flow files") {
  TEST_CASE("every *.json of the folder is a flow, but for hidden files and schemas") {
    const test_support::TempDir folder;
    folder.write("tag.json", kFlow);
    folder.write("._tag.json", "not JSON");
    folder.write(".hidden.json", kFlow);
    folder.write("flow.schema.json", "not a flow");
    folder.write("README", "not JSON");
    std::filesystem::create_symlink("/nowhere", folder.path() / ".#tag.json");
    const auto loaded = load_flows(folder.path());
    for (const auto& problem : loaded.problems) CHECK_MESSAGE(false, problem);
    REQUIRE(loaded.flows);
    CHECK(loaded.flows->size() == 1);
  }

  TEST_CASE("a flow's file may begin with a byte order mark") {
    const test_support::TempDir folder;
    folder.write("tag.json", std::string("\xEF\xBB\xBF") + kFlow);
    CHECK(load_flows(folder.path()).problems.empty());
  }
}
