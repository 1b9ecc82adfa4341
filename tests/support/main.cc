// The entry of every test program. Beside doctest's own flags it takes GATEWAY_TEST_FILTER (part of a test case's
// name), which is how tests/run.sh reaches all programs through ctest.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

int main(int count, char** arguments) {
  doctest::Context context(count, arguments);
  const char* filter = std::getenv("GATEWAY_TEST_FILTER");
  if (filter != nullptr && *filter != '\0') context.addFilter("test-case", ("*" + std::string(filter) + "*").c_str());
  return context.run();
}
