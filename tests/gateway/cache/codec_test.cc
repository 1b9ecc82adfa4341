#include "gateway/cache/codec.h"

#include <doctest/doctest.h>

#include <random>

#include "policies/hash128.h"

using gateway::cache::decode;
using gateway::cache::DecodeFailure;
using gateway::cache::encode;
using gateway::cache::StoredEntry;

namespace {

constexpr std::size_t checksum_at = 5, size_at = 13, content_at = 21;

StoredEntry sample(std::string body) {
  StoredEntry entry;
  entry.status = 200;
  entry.fields = {{"Content-Type", "application/json"}, {"set-cookie", "a=1"}, {"Set-Cookie", ""}, {"X-\xff", "\0x"}};
  auto length = std::to_string(body.size());
  length.insert(0, 8 - length.size(), '0');  // heads of one size
  entry.head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + length + "\r\n";
  entry.body = std::move(body);
  entry.generations = {{"contact:ocQHyuzHvysMo5N5VsXc", 0xfedcba9876543210},
                       {"location:ve9EPM428h8vShlRW1KT:contacts", 1}};
  entry.epoch = 0xffffffffffffffff;
  entry.stored_at_ms = 1'766'000'000'123;
  entry.initial_age_ms = 1;
  entry.fresh_ms = 30'000;
  entry.stale_while_revalidate_ms = 60'000;
  entry.stale_if_error_ms = 86'400'000;
  entry.keep_ms = 90'000'000;
  entry.must_revalidate = true;
  return entry;
}

// What is done to the body's size shows by itself.
StoredEntry headless(std::string body) {
  auto entry = sample(std::move(body));
  entry.head.clear();
  return entry;
}

std::string contacts(int count) {
  std::string body = "{\"contacts\":[";
  for (int i = 0; i < count; ++i)
    body += "{\"id\":\"c" + std::to_string(i * 7919) + "\",\"email\":\"person" + std::to_string(i) + "@example.com\"},";
  return body + "]}";
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

std::string failure(std::string_view value) {
  const auto decoded = decode(value);
  const auto* why = std::get_if<DecodeFailure>(&decoded);
  return why ? std::string(to_string(*why)) : "decoded";
}

// Makes the checksum right again, as a hostile or mistaken writer would.
std::string resealed(std::string value) {
  const auto sum = policies::hash128(std::string_view(value).substr(size_at)).low;
  for (std::size_t i = 0; i < sizeof sum; ++i) value[checksum_at + i] = static_cast<char>(sum >> (8 * i));
  return value;
}

std::string with_size(std::string value, std::size_t at, std::uint64_t size, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) value[at + i] = static_cast<char>(size >> (8 * i));
  return resealed(std::move(value));
}

}  // namespace

TEST_SUITE_BEGIN("cache");

TEST_CASE("an entry comes back exactly as it was stored") {
  StoredEntry bare;
  bare.status = 204;
  StoredEntry extreme = sample("");
  extreme.status = 599;
  extreme.head = "HTTP/1.1 599 \r\nContent-Length: 0\r\n";
  extreme.fresh_ms = (std::int64_t{1} << 53) - 1;
  const StoredEntry rows[] = {bare,
                              extreme,
                              sample("{}"),
                              sample(std::string("\0\r\n\xff", 4)),
                              sample(std::string(1024, 'x')),
                              sample(std::string(1025, 'x')),
                              sample(noise(100'000)),
                              sample(contacts(2'000))};
  for (const StoredEntry& entry : rows) {
    CAPTURE(entry.body.size());
    const auto decoded = decode(encode(entry));
    REQUIRE(std::holds_alternative<StoredEntry>(decoded));
    const bool same = std::get<StoredEntry>(decoded) == entry;
    CHECK(same);
  }
}

TEST_CASE("bodies over 1 KiB are compressed where that makes them smaller") {
  const auto overhead = encode(sample("")).size();
  CHECK(encode(sample(std::string(1024, 'x'))).size() == overhead + 1024);
  CHECK(encode(sample(std::string(1025, 'x'))).size() < overhead + 100);
  CHECK(encode(sample(noise(100'000))).size() == overhead + 100'000);
  const std::string list = contacts(100);
  CHECK(encode(sample(list)).size() < overhead + list.size() / 3);
}

TEST_CASE("every truncation is a miss") {
  for (const std::string& body : {std::string("{}"), contacts(30)}) {
    const std::string value = encode(sample(body));
    for (std::size_t size = 0; size < value.size(); ++size) {
      const std::string why = failure(std::string_view(value).substr(0, size));
      if (why != (size < 4 ? "foreign" : "truncated")) FAIL("at " << size << ": " << why);
    }
    CHECK(failure(value) == "decoded");
    CHECK(failure(value + "x") == "corrupted");
  }
}

TEST_CASE("no flipped bit and no changed byte decodes") {
  for (const std::string& body : {std::string("{}"), contacts(30)}) {
    std::string value = encode(sample(body));
    for (std::size_t at = 0; at < value.size(); ++at)
      for (int mask = 1; mask < 256; mask = mask < 128 ? mask * 2 : 255) {
        value[at] = static_cast<char>(value[at] ^ mask);
        if (failure(value) == "decoded") FAIL("bits " << mask << " at " << at);
        value[at] = static_cast<char>(value[at] ^ mask);
        if (mask == 255) break;
      }
    CHECK(failure(value) == "decoded");
  }
}

TEST_CASE("foreign values and other versions are told apart") {
  std::string future = encode(sample("{}")), past = future;
  future[4] = 3;
  past[4] = 1;
  CHECK(failure("") == "foreign");
  CHECK(failure("{\"status\":200}") == "foreign");
  CHECK(failure(std::string(1000, '\0')) == "foreign");
  CHECK(failure(future) == "version");
  CHECK(failure(past) == "version");
  CHECK(failure(future.substr(0, 5)) == "version");
}

TEST_CASE("sizes that cannot be are refused before anything is allocated, whatever the checksum says") {
  const std::string value = encode(headless("{}"));
  const std::size_t generations_at = content_at + 1 + 2 + 8 + 6 * 8 + 1;
  const std::size_t body_size_at = value.size() - 2 - 8;
  CHECK(failure(with_size(value, generations_at, 2, 4)) == "decoded");  // the offset is right
  CHECK(failure(with_size(value, body_size_at, 2, 8)) == "decoded");
  CHECK(failure(with_size(value, generations_at, 0xffffffff, 4)) == "malformed");
  CHECK(failure(with_size(value, generations_at + 4, 0xffffffff, 4)) == "malformed");
  CHECK(failure(with_size(value, body_size_at, ~std::uint64_t{0}, 8)) == "too_large");
  CHECK(failure(with_size(value, body_size_at, 1, 8)) == "malformed");
  CHECK(failure(with_size(value, body_size_at, 3, 8)) == "malformed");
  CHECK(failure(with_size(value, size_at, ~std::uint64_t{0}, 8)) == "truncated");
  CHECK(failure(resealed(value + "x")) == "malformed");
  CHECK(failure(with_size(value, content_at, 1, 1)) == "malformed");  // "{}" is no zstd frame
  CHECK(failure(with_size(value, content_at, 9, 1)) == "malformed");
  CHECK(failure(with_size(value, content_at + 1, 99, 2)) == "malformed");  // status
  CHECK(failure(with_size(value, content_at + 1, 600, 2)) == "malformed");
  CHECK(failure(with_size(value, content_at + 11, ~std::uint64_t{0}, 8)) == "malformed");  // stored_at below 0
}

TEST_CASE("a compressed body that unpacks to another size is refused") {
  const std::string body = contacts(30);
  const std::string value = encode(headless(body));
  const std::size_t body_size_at = encode(headless("")).size() - 8;
  CHECK(failure(with_size(value, body_size_at, body.size(), 8)) == "decoded");
  CHECK(failure(with_size(value, body_size_at, body.size() - 1, 8)) == "malformed");
  CHECK(failure(with_size(value, body_size_at, 64 << 20, 8)) == "malformed");
  CHECK(failure(with_size(value, body_size_at, (64 << 20) + 1, 8)) == "too_large");
  // The frame whole and valid, then something after it.
  const std::string longer = with_size(value + value.substr(body_size_at + 8), size_at,
                                       value.size() - content_at + value.size() - body_size_at - 8, 8);
  CHECK(failure(longer) == "malformed");
}

TEST_CASE("a head that is not to be sent as it is makes the value a miss, however intact it is") {
  const std::string value = encode(sample("{}"));
  const auto with = [&](const std::string& was, const std::string& is) {
    REQUIRE(was.size() == is.size());
    std::string changed = value;
    const auto at = changed.find(was);
    REQUIRE(at != std::string::npos);
    return failure(resealed(changed.replace(at, was.size(), is)));
  };
  CHECK(with("200 OK", "200 KO") == "decoded");
  CHECK(with("200 OK", "201 OK") == "malformed");
  CHECK(with("Type: application/json\r\n", "Type: a\r\nX: 1234567890\r\n") == "decoded");
  CHECK(with("Type: application/json\r\n", "Type: a\r\n\r\nHTTP/1.1 20\r\n") == "malformed");
  CHECK(with("Length: 00000002", "Length: 00000003") == "malformed");
}

TEST_CASE("what decode would refuse is not encoded") {
  StoredEntry status = sample("{}"), age = sample("{}"), time = sample("{}"), head = sample("{}"), text = sample("{}");
  status.status = 99;
  age.initial_age_ms = -1;
  time.fresh_ms = INT64_MAX;
  head.fields.add("X-Long", std::string(2 << 20, 'x'));
  CHECK(encode(status).empty());
  CHECK(encode(age).empty());
  CHECK(encode(time).empty());
  text.head.insert(text.head.size() - 2, 2 << 20, ' ');
  CHECK(encode(head).empty());
  CHECK(encode(text).empty());
  CHECK(encode(sample(std::string((64 << 20) + 1, 'x'))).empty());
  StoredEntry framing = sample("{}");
  framing.body = "{ }";
  CHECK(encode(framing).empty());
}

TEST_SUITE_END();
