#include "gateway/random.h"

#include <random>

namespace gateway {

namespace {
std::mt19937_64& generator() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device kernel;
    std::seed_seq seed{kernel(), kernel(), kernel(), kernel(), kernel(), kernel(), kernel(), kernel()};
    return std::mt19937_64(seed);
  }();
  return engine;
}
}  // namespace

std::uint64_t random_id() {
  for (;;)
    if (const std::uint64_t id = generator()(); id != 0) return id;
}

double random_unit() { return static_cast<double>(generator()() >> 11) * 0x1.0p-53; }

std::string random_hex(int bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(generator()());
    text += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return text;
}

}  // namespace gateway
