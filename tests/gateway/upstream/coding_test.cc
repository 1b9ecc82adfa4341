#include "gateway/upstream/coding.h"

#include <doctest/doctest.h>

#include "tests/support/gzip.h"

using gateway::upstream::decoded;
using test_support::Coding;
using test_support::compressed;

namespace {
std::optional<std::string> read(const std::string& coding, const std::string& body) {
  return decoded({{"content-encoding", coding}}, body);
}
}  // namespace

TEST_SUITE_BEGIN("upstream coding");

TEST_CASE("what an upstream compressed without being asked is read") {
  std::string text = R"({"contact":{"id":"a"}})";
  for (int doubled = 0; doubled < 14; ++doubled, text += text) {
    CAPTURE(text.size());
    CHECK(read("gzip", compressed(text)) == text);
    CHECK(read("X-GZIP", compressed(text)) == text);
    CHECK(read("deflate", compressed(text, Coding::Zlib)) == text);
    CHECK(read("deflate", compressed(text, Coding::BareDeflate)) == text);
  }
  CHECK(read("gzip", compressed("")) == "");
}

TEST_CASE("what is in no coding, in another one, cut, longer than it says or larger than an answer may be is left") {
  const std::string body = compressed("text");
  CHECK_FALSE(decoded({}, body).has_value());
  for (const char* coding : {"identity", "br", "gzip, gzip", ""}) CHECK_FALSE(read(coding, body).has_value());
  for (std::size_t size = 0; size < body.size(); ++size) CHECK_FALSE(read("gzip", body.substr(0, size)).has_value());
  CHECK_FALSE(read("gzip", body + "x").has_value());
  CHECK_FALSE(read("gzip", "text").has_value());
  CHECK_FALSE(read("deflate", "text").has_value());
  CHECK(read("gzip", compressed(std::string(10 << 20, 'x'))).has_value());
  CHECK_FALSE(read("gzip", compressed(std::string((10 << 20) + 1, 'x'))).has_value());
}

TEST_SUITE_END();
