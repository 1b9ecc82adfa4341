// What is wrong with a flow's file, and where. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace policies::flows {

struct Problem {
  std::uint32_t line = 0;  // from 1; 0: the file as a whole
  std::string field;       // "do[0].body.phone"; empty: the file as a whole
  std::string what;        // and what was expected
};
using Problems = std::vector<Problem>;

}  // namespace policies::flows
