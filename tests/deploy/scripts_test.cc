// What needs a machine of its own, npm or minutes, and so belongs to the full run (GATEWAY_TEST_FULL): scripts, each
// with its own account of what it does on standard error.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/paths.h"
#include "tests/support/process.h"

using namespace test_support;

namespace {

bool everyday() { return std::getenv("GATEWAY_TEST_FULL") == nullptr; }

void passes(const std::string& script) {
  Process process({.arguments = {source_dir() + "/tests/deploy/" + script}, .unset_prefix = "GATEWAY_"});
  const auto code = process.wait_for_exit(std::chrono::hours(2));
  CHECK_MESSAGE(code == 0, process.output(Stream::Out), process.output(Stream::Error));
}

}  // namespace

TEST_SUITE("deploy") {
  TEST_CASE("the Dockerfile, compose.yaml and the Kubernetes files hold" * doctest::skip(everyday())) {
    passes("checks/run.sh");
  }
  TEST_CASE("the Dockerfile's steps make an image that serves, and the Debian package installs, serves and purges" *
            doctest::skip(everyday())) {
    passes("image.sh");
  }
  TEST_CASE("both commands work on a bare Debian 12" * doctest::skip(everyday())) { passes("bare_debian.sh"); }
}
