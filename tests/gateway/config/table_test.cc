#include "gateway/config/table.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <set>
#include <sstream>

#include "gateway/config/load.h"
#include "gateway/config/schema.h"
#include "gateway/config/value.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace config = gateway::config;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// `UPDATE_GENERATED=1` writes the files that are made from the table instead of comparing them.
void same_as_file(const std::string& path, const std::string& expected) {
  if (::getenv("UPDATE_GENERATED")) std::ofstream(path, std::ios::binary) << expected;
  CHECK_MESSAGE(content_of(path) == expected,
                path << " is not what the table says; UPDATE_GENERATED=1 gateway-tests -ts=config writes it");
}

std::string nested(const std::string& path, const std::string& json) {
  std::string open, close;
  for (std::string_view part : config::split_path(path)) {
    if (part == "[]")
      open += "[", close.insert(0, "]");
    else
      open += "{\"" + std::string(part) + "\":", close.insert(0, "}");
  }
  return open + json + close;
}

}  // namespace

TEST_SUITE("config") {
  TEST_CASE("the table's defaults are those of Settings") {
    for (const auto& setting : config::table()) {
      if (setting.fallback.empty() || setting.path.find('[') != std::string_view::npos ||
          setting.path.starts_with("credentials.oauth"))
        continue;
      CAPTURE(setting.path);
      const auto parsed = config::parse_text(setting, setting.fallback);
      REQUIRE(std::holds_alternative<config::Value>(parsed));
      config::Settings changed;
      setting.apply(changed, "", std::get<config::Value>(parsed));
      CHECK(changed == config::Settings{});
    }
  }

  TEST_CASE("the table names every path once, and every row but lists fills a field") {
    std::set<std::string_view> paths;
    for (const auto& setting : config::table()) {
      CAPTURE(setting.path);
      CHECK(paths.insert(setting.path).second);
      CHECK((setting.apply != nullptr) == (setting.type != config::Type::List));
      CHECK_FALSE(setting.doc.empty());
    }
  }

  TEST_CASE("config.schema.json is the table's") {
    const std::string text = config::schema_text();
    same_as_file(test_support::source_dir() + "/gateway/config/config.schema.json", text);
    if (!::getenv("UPDATE_GENERATED")) CHECK(text == embedded::config_schema);
  }

  TEST_CASE("README's settings table is the table's") {
    const std::string path = test_support::source_dir() + "/README.md";
    const std::string begin = "<!-- settings: made from gateway/config/table.cc -->\n",
                      end = "<!-- end of settings -->";
    std::string readme = content_of(path);
    const std::size_t from = readme.find(begin), to = readme.find(end);
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    readme.replace(from + begin.size(), to - from - begin.size(), config::markdown_table());
    same_as_file(path, readme);
  }

  TEST_CASE("schema and table accept and refuse the same values of every type") {
    const std::string hash = "\"sha256:" + std::string(32, '0') + ":" + std::string(64, 'f') + "\"";
    const struct {
      config::Type type;
      std::string right, wrong;
    } samples[] = {
        {config::Type::Text, "\"a\"", "5"},
        {config::Type::Switch, "true", "\"true\""},
        {config::Type::Count, "5", "\"5\""},
        {config::Type::Bytes, "\"2MiB\"", "\"2MB\""},
        {config::Type::Duration, "\"1s\"", "1"},
        {config::Type::Percent, "\"1.5%\"", "1.5"},
        {config::Type::Rate, "1.5", "0"},
        {config::Type::Address, "\"[::1]:0\"", "\"localhost\""},
        {config::Type::HttpUrl, "\"https://a/b\"", "\"a/b\""},
        {config::Type::RedisUrl, "\"redis+sentinel://a:1/m\"", "\"rediss://a\""},
        {config::Type::Path, "\"/a\"", "[]"},
        {config::Type::KeyHash, hash, "\"key\""},
        {config::Type::ChoiceList, "[\"read\"]", "[\"delete\"]"},
        {config::Type::TextList, "[\"a\"]", "[5]"},
        {config::Type::List, "[]", "{}"},
    };
    const test_support::TempDir scratch;
    config::Inputs inputs;
    inputs.operations = {"get-contact"};
    for (const auto& setting : config::table()) {
      std::string path(setting.path);
      if (const auto open = path.find('<'); open != std::string::npos)
        path.replace(open, path.find('>') - open + 1, "get-contact");
      for (const auto& sample : samples) {
        const bool choice = setting.type == config::Type::Choice;
        if (sample.type != (choice ? config::Type::Text : setting.type)) continue;
        const std::string fitting =
            choice ? "\"" + std::string(setting.choices.substr(0, setting.choices.find('|'))) + "\"" : sample.right;
        const std::string right = nested(path, fitting), wrong = nested(path, sample.wrong);
        CAPTURE(wrong);
        CAPTURE(right);
        CHECK(config::check_schema(config::parse_json_text("x", right)) == "");
        CHECK(config::check_schema(config::parse_json_text("x", wrong)) != "");
        inputs.file = scratch.write("right.json", right);
        CHECK_NOTHROW(config::load(inputs));
        inputs.file = scratch.write("wrong.json", wrong);
        CHECK_THROWS_AS(config::load(inputs), config::Invalid);
      }
    }
    CHECK(config::check_schema(config::parse_json_text("x", R"({"nope":1})")) != "");
    CHECK(config::check_schema(config::parse_json_text("x", R"({"clients":[{"nope":1}]})")) != "");
  }
}
