// Identifiers as the API makes them: 20 letters and digits, the same sequence for the same seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace simulator {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();                     // splitmix64
  std::uint64_t below(std::uint64_t limit)  // 0 where limit is 0
  {
    return limit == 0 ? 0 : next() % limit;
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)

 private:
  std::uint64_t state_;
};

std::string random_id(Random& random, std::size_t length = 20);
std::string trace_id(Random& random);  // a UUID's shape

// "contact" and 1 give "contact0000000000001": 20 characters that a README can name.
std::string numbered_id(std::string_view prefix, std::uint64_t number);

// What the API takes as an id in a path: up to 64 letters, digits, '-' and '_'.
bool well_formed_id(std::string_view id);

// What bulk operations call 'a valid firebase id': exactly 20 letters and digits.
bool firebase_id(std::string_view id);

}  // namespace simulator
