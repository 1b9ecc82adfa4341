// Cache-Control, Age, Expires and validators from any peer: no crash, and what comes out keeps its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policies/conditional.h"
#include "policies/freshness.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace policies;
  using namespace std::chrono_literals;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, size / 2);
  const std::string_view second = text.substr(size / 2);
  const std::vector<FieldView> fields{{"Cache-Control", first}, {"Cache-Control", second}, {"Expires", first},
                                      {"Date", second},         {"Age", second},           {"If-None-Match", first}};
  const auto request = request_cache_control(fields);
  const Times rule{.fresh = 30s, .stale_while_revalidate = 20s, .stale_if_error = 600s, .settle = 0s};
  const WallTime now{1'000'000'000s};
  const auto stored = lifetimes_of({.status = 200, .fields = fields, .requested = now, .received = now}, {}, rule);
  if (const auto* life = std::get_if<Storable>(&stored)) {
    require(life->fresh >= 0s && life->fresh <= rule.fresh && life->keep > 0s && life->initial_age >= 0s);
    require(life->stale_if_error <= rule.stale_if_error);
    decide(life, 40s, request);
    may_serve_on_error(*life, 40s, request);
  }
  not_modified(fields, second, first);
  return 0;
}
