#include "tests/support/simulator_process.h"

#include "tests/support/listening.h"
#include "tests/support/paths.h"

namespace test_support {
namespace {

ProcessOptions process_options(const SimulatorOptions& options) {
  ProcessOptions process{
      .arguments = {test_support::binary_dir() + "/leadconnector-simulator", "--listen", "127.0.0.1:0"},
      .environment = {},
      .unset_prefix = {}};
  process.arguments.insert(process.arguments.end(), options.arguments.begin(), options.arguments.end());
  return process;
}

}  // namespace

SimulatorProcess::SimulatorProcess(const SimulatorOptions& options)
    : process_(process_options(options)),
      address_(wait_for_address(process_, Stream::Out, "leadconnector-simulator", options.start_limit)) {}

}  // namespace test_support
