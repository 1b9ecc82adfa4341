// The decisions in policies/ must stay pure: what they name and what they link is checked here, so that a slip fails
// the build's tests and not a replay of a decision months later.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/paths.h"

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 37> kStandard = {
    "algorithm", "array",       "bit",           "bitset",           "cassert",  "charconv",
    "chrono",    "cmath",       "compare",       "concepts",         "cstddef",  "cstdint",
    "cstring",   "deque",       "functional",    "initializer_list", "iterator", "limits",
    "list",      "map",         "memory",        "numeric",          "optional", "queue",
    "ranges",    "set",         "span",          "stdexcept",        "string",   "string_view",
    "tuple",     "type_traits", "unordered_map", "unordered_set",    "utility",  "variant",
    "vector"};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Comments may speak of clocks.
std::string without_comments(const std::string& source) {
  return std::regex_replace(source, std::regex("//[^\\n]*"), "");
}

bool is_pure_header(const std::string& name, char bracket, bool in_header) {
  if (bracket == '"') return name.starts_with("policies/");
  if (name.starts_with("rapidjson/")) return !in_header;
  return std::find(kStandard.begin(), kStandard.end(), name) != kStandard.end();
}

std::vector<std::string> impurities(const std::string& source, bool in_header) {
  static const std::regex kInclude(R"(#\s*include\s*([<"])([^>"]*)[>"])");
  static const std::regex kCalls(
      R"(::now\s*\(|(\btime\s*\(\s*(nullptr|NULL|0|&)|std::time\s*\()|\b(clock|clock_gettime|gettimeofday|timespec_get|localtime|gmtime|rand|srand|random|getenv|setenv|)"
      R"(secure_getenv|fopen|printf|fprintf|puts|system|popen|abort|exit|syscall)\s*\(|\brandom_device\b|\bmt19937|)"
      R"(\b(extern|thread_local|volatile)\s+(?!const\b)|\b(co_await|cout|cerr|clog)\b|\b__DATE__\b|\b__TIME__\b)");
  const std::string code = without_comments(source);
  std::vector<std::string> found;
  for (std::sregex_iterator at(code.begin(), code.end(), kInclude), end; at != end; ++at)
    if (!is_pure_header((*at)[2], (*at)[1].str()[0], in_header)) found.push_back((*at)[0]);
  for (std::sregex_iterator at(code.begin(), code.end(), kCalls), end; at != end; ++at) found.push_back((*at)[0]);
  return found;
}

}  // namespace

TEST_SUITE_BEGIN("purity");

TEST_CASE("the sources of policies name no clock, randomness, environment or I/O") {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(test_support::source_dir()) / "policies")) {
    const auto extension = entry.path().extension();
    if (extension != ".cc" && extension != ".h") continue;
    ++files;
    for (const auto& found : impurities(read(entry.path()), extension == ".h"))
      FAIL_CHECK(entry.path().filename().string(), " must not say ", found);
  }
  CHECK(files > 20);
}

TEST_CASE("the check sees what it is there for") {
  for (const std::string impure : {"#include <fstream>",
                                   "#include <iostream>",
                                   "#include <cstdio>",
                                   "#include <unistd.h>",
                                   "#include <sys/time.h>",
                                   "#include <thread>",
                                   "#include <mutex>",
                                   "#include <random>",
                                   "#include <asio.hpp>",
                                   "#include <curl/curl.h>",
                                   "#include <hiredis/hiredis.h>",
                                   "#include <pistache/tcp.h>",
                                   "#include <spdlog/spdlog.h>",
                                   "# include <ctime>",
                                   "#include <prometheus/registry.h>",
                                   "#include \"gateway/log/log.h\"",
                                   "auto t = std::chrono::system_clock::now();",
                                   "x = time(nullptr);",
                                   "gettimeofday(&tv, 0);",
                                   "std::random_device r;",
                                   "int r = rand ();",
                                   "getenv(\"HOME\")",
                                   "thread_local int count;",
                                   "extern int counter;",
                                   "std::cout << 1;"})
    CHECK_MESSAGE(impurities(impure, false).size() == 1, impure);
  CHECK(impurities("#include <rapidjson/reader.h>", true).size() == 1);
  for (const std::string pure : {"#include <rapidjson/reader.h>", "#include <chrono>", "#include \"policies/fields.h\"",
                                 "// the clock is read by time(), not here", "decide(now);",
                                 "lifetime(x); settle_time(y);", "extern const char contacts_catalogue[];"})
    CHECK_MESSAGE(impurities(pure, false).empty(), pure);
}

TEST_CASE("the policies target links nothing") {
  const std::string cmake = read(fs::path(test_support::source_dir()) / "CMakeLists.txt");
  const std::regex links(R"(target_link_libraries\s*\(\s*(policies|project_options)\s+([^)]*)\))");
  std::vector<std::string> found;
  for (std::sregex_iterator at(cmake.begin(), cmake.end(), links), end; at != end; ++at)
    found.push_back((*at)[1].str() + " " + (*at)[2].str());
  CHECK(found == std::vector<std::string>{"policies PUBLIC project_options"});
}

TEST_SUITE_END();
