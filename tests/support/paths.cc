#include "tests/support/paths.h"

namespace test_support {

std::string source_dir() { return GATEWAY_SOURCE_DIR; }
std::string binary_dir() { return GATEWAY_BINARY_DIR; }

}  // namespace test_support
