#include "policies/hash128.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace policies {

namespace {

constexpr std::uint64_t kFirst = 0x87c37b91114253d5;
constexpr std::uint64_t kSecond = 0x4cf5ad432745937f;

std::uint64_t mix_first(std::uint64_t k) { return std::rotl(k * kFirst, 31) * kSecond; }
std::uint64_t mix_second(std::uint64_t k) { return std::rotl(k * kSecond, 33) * kFirst; }

std::uint64_t finish(std::uint64_t k) {
  k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
  k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
  return k ^ (k >> 33);
}

// Up to eight bytes as a little-endian number, whatever the machine's order; missing ones are 0.
std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  if (std::endian::native == std::endian::little && bytes.size() >= sizeof value) {
    std::memcpy(&value, bytes.data(), sizeof value);  // one load; the loop below is eight
    return value;
  }
  const std::size_t count = std::min(bytes.size(), sizeof value);
  for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

Hash128 hash128(std::string_view bytes) {
  constexpr std::size_t kBlock = 16;
  const std::uint64_t size = bytes.size();
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) {
    a = (std::rotl(a ^ mix_first(little_endian(bytes)), 27) + b) * 5 + 0x52dce729;
    b = (std::rotl(b ^ mix_second(little_endian(bytes.substr(8))), 31) + a) * 5 + 0x38495ab5;
  }
  if (bytes.size() > 8) b ^= mix_second(little_endian(bytes.substr(8)));
  a ^= mix_first(little_endian(bytes));  // nothing left mixes to 0
  a ^= size;
  b ^= size;
  a += b;
  b += a;
  a = finish(a);
  b = finish(b);
  a += b;
  b += a;
  return {a, b};
}

}  // namespace policies
