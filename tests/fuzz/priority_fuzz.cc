// Priority and Prefer from any client: no crash, and an urgency that is one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policies/priority.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace policies;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<FieldView> fields{{"Priority", text}, {"Prefer", text}};
  const int urgency = priority_of(fields).urgency;
  if (urgency < 0 || urgency > 7) std::abort();
  const auto wait = preferred_wait(fields);
  if (wait && wait->count() < 0) std::abort();
  return 0;
}
