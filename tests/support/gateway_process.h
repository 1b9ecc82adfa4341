// A contacts-gateway of the test's own on free ports of loopback, ended with this object. Settings of the environment
// that runs the tests (GATEWAY_…) do not reach it. Throws std::runtime_error with the program's words when it does not
// start.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace test_support {

struct GatewayOptions {
  std::string upstream;  // base URL
  // By path (README, "Settings"), as the environment takes them: {"cache.memory_bytes", "1MiB"}. They win over these,
  // which win over `config`: listen and admin.listen on port 0, credentials.token "pit-test".
  std::vector<std::pair<std::string, std::string>> settings{};
  std::string config{};       // text of a settings file, for what has no plain form: clients, credentials.locations
  std::string config_file{};  // instead: a settings file of the test's own, which it may change; credentials included
  milliseconds start_limit{20'000};
  // A step of gateway/fault_point.h, "NAME" or "NAME:N", at which the process kills itself: started is then
  // contacts-gateway-with-faults.
  std::string fault_point{};
  std::vector<std::string> alteration{};  // tests/fault_points/alteration.h, "ALTERED_…=value": the same program
};

class GatewayProcess {
 public:
  explicit GatewayProcess(const GatewayOptions& options);
  const std::string& address() const { return address_; }  // "127.0.0.1:PORT"
  const std::string& admin_address() const { return admin_; }
  Process& process() { return process_; }

 private:
  TempDir folder_;
  Process process_;
  std::string address_, admin_;
};

// "cache.memory_bytes" gives "GATEWAY_CACHE_MEMORY_BYTES".
std::string environment_name(std::string_view path);

}  // namespace test_support
