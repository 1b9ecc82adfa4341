#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "gateway/cli/export_file.h"
#include "gateway/cli/export_progress.h"
#include "tests/support/temp_dir.h"

using namespace gateway::cli;

namespace {

std::string record(int number) {
  return R"({"contact":{"id":"c)" + std::to_string(number) + R"("},"cursor":"at)" + std::to_string(number) + "\"}\n";
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_SUITE("export file") {
  TEST_CASE("it goes on behind the last whole record, whatever the end looks like") {
    const std::string two = record(1) + record(2);
    const std::string long_line = R"({"contact":{"id":")" + std::string(300'000, 'x') +
                                  R"("},"cursor":"long"})"
                                  "\n";
    const struct {
      std::string held, kept, cursor;
    } cases[] = {{"", "", ""},
                 {two, two, "at2"},
                 {two + R"({"contact":{"id":"c3)", two, "at2"},
                 {two + std::string(100'000, '\0'), two, "at2"},
                 {two + "\n", two, "at2"},
                 {two + "garbage\n\n", two, "at2"},
                 {"garbage", "", ""},
                 {"\n", "", ""},
                 {long_line, long_line, "long"},
                 {record(1) + long_line.substr(0, 200'000), record(1), "at1"},
                 {record(1) + long_line + record(2).substr(0, 5), record(1) + long_line, "long"},
                 {R"({"progress":{},"cursor":"no"})"
                  "\n",
                  "", ""}};
    for (const auto& row : cases) {
      test_support::TempDir folder;
      CAPTURE(row.held.substr(0, 60));
      folder.write("out.part", row.held);
      {
        ExportFile file((folder.path() / "out").string());
        CHECK(file.cursor() == row.cursor);
        CHECK(file.size() == row.kept.size());
        file.append(record(9), "at9");
        file.finish();
      }
      CHECK(text_of(folder.path() / "out") == row.kept + record(9));
      CHECK_FALSE(std::filesystem::exists(folder.path() / "out.part"));
    }
  }

  TEST_CASE("a file that another holds, or that cannot be made, is told") {
    test_support::TempDir folder;
    const auto path = (folder.path() / "out").string();
    ExportFile file(path);
    CHECK_THROWS_WITH_AS(ExportFile{path}, (path + ".part is in use: another export is writing it").c_str(),
                         std::runtime_error);
    CHECK_THROWS_AS(ExportFile{(folder.path() / "none" / "out").string()}, std::runtime_error);
  }

  TEST_CASE("progress as a bar and as a line") {
    CHECK(bar_of({45'000, 100'000, 812, 67}) ==
          "[#############-----------------]  45% 45,000/100,000  812/s  1m07s left");
    CHECK(bar_of({1'234'567, 1'000'000, 9.5, 0}).starts_with("[##############################] 100% 1,234,567/"));
    CHECK(bar_of({7, 0, 3.5, -1}) == "7 contacts  3.5/s");
    CHECK(line_of({45'000, 100'000, 812, 3'700}) == "45,000 of 100,000 (45%), 812/s, 1h01m left");
    CHECK(line_of({999, 0, 1, -1}) == "999, 1.0/s");
  }
}
