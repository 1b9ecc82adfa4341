// Queries and bodies that name locations and contacts: no crash, never two locations, keys bounded and printable.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policies/location.h"
#include "policies/surrogate_keys.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_keys(const std::vector<std::string>& keys) {
  require(keys.size() <= policies::kMostKeys + 10);
  for (const auto& key : keys) require(std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace policies;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view query = text.substr(0, size / 2);
  for (const std::string_view type : {"application/json", "application/x-www-form-urlencoded", ""}) {
    const std::vector<FieldView> fields{{"Content-Type", type}};
    const auto named = location_of({.query = query, .fields = fields, .body = text.substr(size / 2), .several = true});
    if (const auto* location = std::get_if<Location>(&named)) require(!location->id().empty());
  }
  const auto& catalogue = Catalogue::builtin();
  const auto bulk = std::get<Match>(catalogue.match("POST", "/contacts/bulk/tags/update/add"));
  check_keys(keys_of_request(bulk, query, text));
  const auto upsert = std::get<Match>(catalogue.match("POST", "/contacts/upsert"));
  const auto learnt = keys_of_answer(upsert, query, text);
  check_keys(learnt);
  require(!learnt.empty());  // the contact, or its location in doubt
  return 0;
}
