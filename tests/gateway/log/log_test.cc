#include "gateway/log/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace log = gateway::log;

namespace {

std::string line(std::initializer_list<log::Item> items, std::string_view event = "e") {
  std::string out;
  log::append_line(out, std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::microseconds(7),
                   log::Level::Info, event, std::span(items.begin(), items.size()));
  return out;
}

// Standard error into a pipe while it lives.
class CapturedErrors {
 public:
  CapturedErrors() : saved_(::dup(2)) {
    REQUIRE(::pipe2(pipe_, O_CLOEXEC) == 0);
    ::dup2(pipe_[1], 2);
    ::close(pipe_[1]);
  }
  ~CapturedErrors() { restore(), ::close(pipe_[0]); }

  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, 2);
    ::close(saved_);
    saved_ = -1;
  }

  // Everything up to the end: only once nobody holds the other side any more.
  std::string all() {
    std::string text;
    char block[65536];
    for (ssize_t n; (n = ::read(pipe_[0], block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
    return text;
  }

 private:
  int saved_;
  int pipe_[2];
};

}  // namespace

TEST_SUITE("log") {
  TEST_CASE("a word of the program's own stands as it is, whatever its length") {
    for (const std::string_view text :
         {"", "a", "hit", "none", "memory", "get-contact", "sixteen-letters!", "longer-than-sixteen"})
      CHECK(line({{"of", log::Word{text}}}).find(",\"of\":\"" + std::string(text) + "\"}") != std::string::npos);
  }

  TEST_CASE("a line is one JSON object with time, level, event and the items in their order") {
    CHECK(
        line({{"name", "gateway"}, {"status", std::int64_t{200}}, {"seconds", 0.25}, {"ok", true}}, "listening") ==
        R"({"time":"2026-11-22T00:00:00.000007Z","level":"info","event":"listening","name":"gateway","status":200,"seconds":0.25,"ok":true})");
  }

  TEST_CASE("whatever bytes come in, the line stays one line of valid JSON") {
    const struct {
      std::string given, written;
    } cases[] = {
        {"plain", "plain"},
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"a\nb\r\tc", "a\\nb\\r\\tc"},
        {std::string("\0\x01\x1f\x7f", 4), "\\u0000\\u0001\\u001f\\u007f"},
        {"Zürich €😀", "Zürich €😀"},
        {"\xff", "\xEF\xBF\xBD"},
        {"\xC3", "\xEF\xBF\xBD"},                                                  // cut off
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong '/'
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // a surrogate
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // above U+10FFFF
        {"\xE2\x82x", "\xEF\xBF\xBD\xEF\xBF\xBDx"},
    };
    for (const auto& [given, written] : cases) {
      CHECK(line({{"k", std::string_view(given)}}).ends_with("\"k\":\"" + written + "\"}"));
      rapidjson::Document document;
      CHECK_FALSE(
          document.Parse<rapidjson::kParseValidateEncodingFlag>(line({{"k", true}}, given).c_str()).HasParseError());
    }
    CHECK(line({{"k", std::numeric_limits<double>::quiet_NaN()}}).ends_with("\"k\":null}"));
    const std::string long_text(5000, 'x');
    CHECK(line({{"k", std::string_view(long_text)}}).size() < 2200);
  }

  TEST_CASE("lines of many threads arrive whole, and those below the level do not") {
    CapturedErrors errors;
    std::string text;
    std::thread reader([&] { text = errors.all(); });
    log::start(log::Level::Info);
    CHECK_FALSE(log::enabled(log::Level::Debug));
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t)
      writers.emplace_back([] {
        for (std::int64_t i = 0; i < 500; ++i) log::info("tick", {{"i", i}}), log::debug("hidden");
      });
    for (auto& writer : writers) writer.join();
    log::stop();
    log::info("after the end");
    errors.restore();
    reader.join();
    CHECK(std::count(text.begin(), text.end(), '\n') == 2000);
    CHECK(text.find("hidden") == std::string::npos);
    CHECK(text.find("after") == std::string::npos);
    std::size_t whole = 0;
    for (std::size_t from = 0, to; (to = text.find('\n', from)) != std::string::npos; from = to + 1) {
      rapidjson::Document document;
      if (!document.Parse(text.data() + from, to - from).HasParseError() && document.HasMember("i")) ++whole;
    }
    CHECK(whole == 2000);
  }

  TEST_CASE("a reader that stands still loses old lines, counted, and no writer waits for it") {
    CapturedErrors errors;
    log::start(log::Level::Info);
    constexpr std::int64_t kLines = 100'000;
    for (std::int64_t i = 0; i < kLines; ++i) log::info("tick", {{"i", i}});  // far more than pipe and queue hold
    const auto lost = static_cast<std::int64_t>(log::dropped());
    CHECK(lost > 0);
    std::string text;
    std::thread reader([&] { text = errors.all(); });
    log::stop();
    errors.restore();
    reader.join();
    CHECK(text.find("\"i\":99999}") != std::string::npos);
    CHECK(text.find("\"event\":\"log_lines_dropped\",\"lines\":" + std::to_string(lost)) != std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') == kLines - lost + 1);
  }
}
