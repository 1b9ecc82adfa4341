#include "gateway/cache/prepared_head.h"

#include <doctest/doctest.h>

#include <string>

using gateway::cache::is_prepared_head;

namespace {

constexpr std::size_t kBody = 12;

bool sent(const std::string& lines, const std::string& first = "HTTP/1.1 200 OK\r\n") {
  return is_prepared_head(first + lines, 200, kBody);
}

const std::string kLength = "Content-Length: 12\r\n";

}  // namespace

TEST_SUITE_BEGIN("cache");

TEST_CASE("a kept head is sent as it is where it frames its body and nothing else") {
  CHECK(sent(kLength));
  CHECK(sent("Content-Type: application/json\r\nETag: \"1\"\r\n" + kLength + "Vary: \r\nX-\xe4: a\r\n") == false);
  CHECK(sent("Content-Type: application/json\r\nETag: \"1\"\r\n" + kLength + "Vary: \r\nX: \xe4\t a\r\n"));
  CHECK(sent("content-length: 12\r\n"));
  CHECK(is_prepared_head("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n", 404, 0));
  CHECK(is_prepared_head("HTTP/1.1 203 \r\nContent-Length: 0\r\n", 203, 0));
}

TEST_CASE("a kept head whose first line is not its status' is not sent") {
  for (const std::string first :
       {"HTTP/1.1 201 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 200OK\r\n", "HTTP/1.1 200\r\n", "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1  200 OK\r\n", "http/1.1 200 OK\r\n", "HTTP/1.1 200 O\x01K\r\n", "", "\r\n", "200 OK\r\n"}) {
    CAPTURE(first);
    CHECK_FALSE(sent(kLength, first));
  }
  for (const int status : {0, 100, 101, 204, 304, 1000, -200}) {
    CAPTURE(status);
    CHECK_FALSE(is_prepared_head("HTTP/1.1 " + std::to_string(status) + " \r\nContent-Length: 0\r\n", status, 0));
  }
}

TEST_CASE("a kept head that frames another body, or frames it twice or otherwise, is not sent") {
  for (const std::string lines :
       {std::string("ETag: 1\r\n"), kLength + kLength, std::string("Content-Length: 11\r\n"),
        std::string("Content-Length: 12, 12\r\n"), std::string("Content-Length: +12\r\n"),
        std::string("Content-Length:  12\r\n"), std::string("Content-Length: \r\n"),
        std::string("Content-Length: 99999999999999999999999\r\n"), kLength + "Transfer-Encoding: chunked\r\n",
        kLength + "transfer-encoding: identity\r\n", kLength + "Connection: close\r\n"}) {
    CAPTURE(lines);
    CHECK_FALSE(sent(lines));
  }
}

TEST_CASE("a kept head that could end before its time, or not at all, is not sent") {
  for (const std::string lines :
       {kLength + "\r\n", kLength + "\r\nHTTP/1.1 200 OK\r\n", "\r\n" + kLength, kLength + "X: a\n", kLength + "X: a\r",
        kLength + "X: a", kLength + "X: a\rb\r\n", kLength + "X: a\nContent-Length: 0\r\n", kLength + "X: a\r\r\n",
        kLength + std::string("X: \0\r\n", 6), kLength + "X: \x7f\r\n", kLength + " folded\r\n", kLength + "X : a\r\n",
        kLength + ": a\r\n", kLength + "X:a\r\n", kLength + "X\r\n", kLength + "X Y: a\r\n"}) {
    CAPTURE(lines);
    CHECK_FALSE(sent(lines));
  }
  const std::string whole = "HTTP/1.1 200 OK\r\nETag: 1\r\n" + kLength;
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(is_prepared_head(std::string_view(whole).substr(0, size), 200, kBody));
}

TEST_SUITE_END();
