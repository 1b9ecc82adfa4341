#include "tests/simulator/limits.h"

#include <doctest/doctest.h>

using namespace simulator;
using std::chrono::microseconds;
using namespace std::chrono_literals;

TEST_SUITE("limits") {
  TEST_CASE("a sliding window admits N and frees a slot exactly W after its request") {
    LimitBook book;
    const LimitOptions options{2, 10s, 100};
    CHECK(book.arrive(0s, options).remaining == 1);
    CHECK(book.arrive(4s, options).remaining == 0);
    CHECK_FALSE(book.arrive(10s - 1us, options).admitted);
    CHECK(book.arrive(10s, options).admitted);
    CHECK_FALSE(book.arrive(14s - 1us, options).admitted);
    CHECK(book.arrive(14s, options).admitted);
    CHECK(book.arrivals() == 6);
    CHECK(book.refused() == 2);
  }

  TEST_CASE("a fixed window lets two bursts meet at its edge, and the books show it") {
    LimitBook book;
    LimitOptions options{2, 10s, 100};
    options.fixed = true;
    CHECK(book.arrive(9s, options).admitted);
    CHECK(book.arrive(9s, options).admitted);
    CHECK_FALSE(book.arrive(10s - 1us, options).admitted);
    CHECK(book.arrive(10s, options).admitted);
    CHECK(book.arrive(10s, options).admitted);
    CHECK_FALSE(book.arrive(11s, options).admitted);
    CHECK(book.most_admitted_in_window(10s) == 4);
    CHECK(book.most_in_window(10s) == 6);
    CHECK(book.most_in_window(1s) == 3);
  }

  TEST_CASE("the daily quota is refused until a day after its first request") {
    LimitBook book;
    const LimitOptions options{100, 1s, 2, 24h};
    CHECK(book.arrive(5s, options).daily_remaining == 1);
    const Verdict last = book.arrive(6s, options);
    CHECK(last.daily_remaining == 0);
    CHECK(last.daily_reset == 24h - 1s);
    CHECK_FALSE(book.arrive(23h, options).admitted);
    CHECK(book.arrive(24h + 5s, options).admitted);
  }

  TEST_CASE("no limit admits everything and still keeps books") {
    LimitBook book;
    const LimitOptions options{0, 1s, 0};
    for (int i = 0; i < 1000; ++i) CHECK(book.arrive(microseconds(i), options).admitted);
    CHECK(book.most_in_window(100us) == 100);
    CHECK(book.complete());
  }
}
