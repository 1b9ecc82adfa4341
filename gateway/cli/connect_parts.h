// Parts of `check --connect`: what stands before the first request, and Redis. Blocking; a few seconds each.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli/findings.h"
#include "gateway/config/settings.h"

namespace gateway::cli {

// False where it cannot be reached: more tries would only wait for the same failure.
bool try_name_and_tls(const config::Settings& settings, Findings& findings);
void try_redis(const config::Settings& settings, Findings& findings);

// Access tokens of the token store that live: to be tried like those of the settings. What cannot be tried is told:
// grants that have ended, seeds that the first start will exchange, a store that does not open.
struct StoredToken {
  std::string name;
  std::string location;
  config::Secret token;
  std::string more;  // scopes and end
};
std::vector<StoredToken> stored_tokens(const config::Settings& settings, Findings& findings);

}  // namespace gateway::cli
