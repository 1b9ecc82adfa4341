// The settings files that deploy/ ships: the program itself takes each of them.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using namespace test_support;

TEST_SUITE("deploy") {
  TEST_CASE("the settings files of Kubernetes, compose and the Debian package are right") {
    for (const std::string file : {"kubernetes/base/gateway.json", "kubernetes/sidecar/gateway.json",
                                   "compose/gateway.json", "debian/gateway.json"}) {
      CAPTURE(file);
      std::ifstream in(source_dir() + "/deploy/" + file, std::ios::binary);
      REQUIRE(in);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      const TempDir folder;
      folder.write("token", "pit-of-a-test\n");
      folder.write("redis-url", "redis://:password@redis:6379/0\n");
      for (const std::string secrets : {"/run/secrets/contacts-gateway/", "/run/secrets/", "/etc/contacts-gateway/"})
        for (auto at = text.find(secrets); at != std::string::npos; at = text.find(secrets))
          text.replace(at, secrets.size(), folder.path().string() + "/");
      Process check(
          {.arguments = {binary_dir() + "/contacts-gateway", "check", "--config", folder.write("gateway.json", text)},
           .unset_prefix = "GATEWAY_"});
      CHECK_MESSAGE(check.wait_for_exit(milliseconds(20'000)) == 0, check.output(Stream::Error));
    }
  }
}
