// Targets and search bodies from any client: no crash; keys are printable; putting in order twice is putting in order
// once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "policies/cache_key.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void search_body(std::string_view text) {
  std::string once;
  if (!policies::append_canonical_json(once, text)) return require(once.empty());
  std::string twice;
  require(policies::append_canonical_json(twice, once));
  require(once == twice);
}

void target(std::string_view text) {
  using namespace policies;
  const std::size_t mark = std::min(text.find('?'), text.size());
  const auto result = Catalogue::builtin().match("GET", text.substr(0, mark));
  const auto* match = std::get_if<Match>(&result);
  if (match == nullptr) return;
  const std::string_view query = text.substr(std::min(mark + 1, text.size()));
  std::string key;
  require(!append_cache_key(key, {*match, query, text, query, {}}));
  require(std::ranges::all_of(key, [](char c) { return c >= ' ' && c < '\x7f'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  search_body(text);
  target(text);
  target("/contacts/" + std::string(text));
  const std::vector<policies::FieldView> request{{"Accept", text}};
  policies::vary_key(text, request);
  return 0;
}
