// What Redis hands us under a cache key is anything at all. Whatever decodes is a fixed point: stored again and read
// again it is the same entry. The input is tried as it is, and with a preamble made right, so that the checksum does
// not keep the fuzzer out of everything behind it.

#include <cstdlib>

#include "gateway/cache/codec.h"
#include "policies/hash128.h"

namespace {

void check(std::string_view value) {
  const auto decoded = gateway::cache::decode(value);
  const auto* entry = std::get_if<gateway::cache::StoredEntry>(&decoded);
  if (!entry) return;
  const std::string again = gateway::cache::encode(*entry);
  if (again.empty()) return;  // field lines beyond what we store
  const auto second = gateway::cache::decode(again);
  const auto* same = std::get_if<gateway::cache::StoredEntry>(&second);
  if (!same || !(*same == *entry)) std::abort();
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check(input);
  const std::string sized = little_endian(size, 8) + input;
  check("\xC6GCE\x02" + little_endian(policies::hash128(sized).low, 8) + sized);
  return 0;
}
