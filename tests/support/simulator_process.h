// A leadconnector-simulator of the test's own on a free port of loopback, ended with this object. Throws
// std::runtime_error with the program's words when it does not start.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.h"

namespace test_support {

struct SimulatorOptions {
  std::vector<std::string> arguments;  // beside --listen
  milliseconds start_limit{20'000};
};

class SimulatorProcess {
 public:
  explicit SimulatorProcess(const SimulatorOptions& options = {});
  const std::string& address() const { return address_; }  // "127.0.0.1:PORT"
  std::string url() const { return "http://" + address_; }
  Process& process() { return process_; }

 private:
  Process process_;
  std::string address_;
};

}  // namespace test_support
