#include "gateway/exchange/via.h"

#include "gateway/random.h"

namespace gateway::exchange {

const std::string& own_via() {
  static const std::string via = "1.1 contacts-gateway-" + random_hex(8);
  return via;
}

bool was_here(policies::FieldsView request) {
  const std::string_view name = std::string_view(own_via()).substr(own_via().find(' ') + 1);
  for (const auto& field : request)
    if (policies::same_name(field.name, "Via") && field.value.find(name) != std::string_view::npos) return true;
  return false;
}

}  // namespace gateway::exchange
