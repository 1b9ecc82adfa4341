// Where this build's sources and programs are; for tests that read files of the project or start its programs.
#pragma once

#include <string>

namespace test_support {

std::string source_dir();
std::string binary_dir();

}  // namespace test_support
