#include "tests/simulator/ids.h"

namespace simulator {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool alphanumeric(char c) { return kAlphabet.find(c) != std::string_view::npos; }

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string random_id(Random& random, std::size_t length) {
  std::string id(length, '0');
  for (char& c : id) c = kAlphabet[random.below(kAlphabet.size())];
  return id;
}

std::string trace_id(Random& random) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string id = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  for (char& c : id) {
    if (c == 'x') c = kHex[random.below(kHex.size())];
  }
  return id;
}

std::string numbered_id(std::string_view prefix, std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string id(prefix);
  if (id.size() + digits.size() < 20) id.append(20 - id.size() - digits.size(), '0');
  return id + digits;
}

bool well_formed_id(std::string_view id) {
  if (id.empty() || id.size() > 64) return false;
  for (char c : id) {
    if (!alphanumeric(c) && c != '-' && c != '_') return false;
  }
  return true;
}

bool firebase_id(std::string_view id) {
  if (id.size() != 20) return false;
  for (char c : id) {
    if (!alphanumeric(c)) return false;
  }
  return true;
}

}  // namespace simulator
