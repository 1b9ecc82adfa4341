#include "gateway/server/syntax.h"

#include <doctest/doctest.h>

#include <string>

using namespace gateway::server;

namespace {

// Every byte at every place of texts shorter and longer than the words in which they are looked at.
template <typename Expected>
void check_each_byte(bool (*judged)(std::string_view), Expected expected) {
  for (std::size_t size = 1; size <= 24; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        if (judged(text) == expected(byte)) continue;
        CAPTURE(size);
        CAPTURE(at);
        CAPTURE(byte);
        FAIL("judged wrongly");
      }
}

}  // namespace

TEST_SUITE("server") {
  TEST_CASE("a field value holds no control character but HTAB, wherever it stands") {
    check_each_byte(is_field_value, [](int byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); });
    CHECK(is_field_value(""));
  }

  TEST_CASE("a target holds no control character, space or '#', wherever it stands") {
    check_each_byte(is_target, [](int byte) { return byte > 0x20 && byte != 0x7f && byte != '#'; });
  }

  TEST_CASE("the characters of a token end at the first other one") {
    CHECK(token_length("X-Name: value") == 6);
    CHECK(token_length("X Name: value") == 1);
    CHECK(token_length(": value") == 0);
    CHECK(token_length("whole") == 5);
    CHECK(token_length("") == 0);
  }
}
