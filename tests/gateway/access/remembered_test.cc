#include <doctest/doctest.h>

#include <string>

#include "gateway/access/clients.h"

using gateway::access::Remembered;

TEST_SUITE("access") {
  TEST_CASE("a connection's remembered key is recognised, and no other that differs in one place or in length") {
    for (std::size_t size = 20; size <= 48; ++size) {
      Remembered remembered;
      remembered.key = std::string(size, 'k');
      CHECK(remembered.is(std::string(size, 'k')));
      CHECK_FALSE(remembered.is(std::string(size - 1, 'k')));
      CHECK_FALSE(remembered.is(std::string(size + 1, 'k')));
      for (std::size_t at = 0; at < size; ++at) {
        std::string other(size, 'k');
        other[at] = 'K';
        CHECK_FALSE(remembered.is(other));
      }
    }
  }

  TEST_CASE("a connection that remembers no key recognises none") {
    CHECK_FALSE(Remembered{}.is(""));
    CHECK_FALSE(Remembered{}.is("cgk_0123456789012345678901"));
  }
}
