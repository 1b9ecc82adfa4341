#include "tests/support/gateway_process.h"

#include <cctype>

#include "tests/support/listening.h"
#include "tests/support/paths.h"

namespace test_support {
namespace {

ProcessOptions process_options(const GatewayOptions& options, const TempDir& folder) {
  std::vector<std::pair<std::string, std::string>> settings{
      {"listen", "127.0.0.1:0"}, {"admin.listen", "127.0.0.1:0"}, {"upstream.url", options.upstream}};
  if (options.config_file.empty() && options.config.find("\"credentials\"") == std::string::npos)
    settings.emplace_back("credentials.token", "pit-test");
  for (const auto& [path, value] : options.settings) {
    std::erase_if(settings, [&, &given = path](const auto& setting) { return setting.first == given; });
    settings.emplace_back(path, value);
  }
  const bool with_faults = !options.fault_point.empty() || !options.alteration.empty();
  ProcessOptions process{
      .arguments = {test_support::binary_dir() + (with_faults ? "/contacts-gateway-with-faults" : "/contacts-gateway"),
                    "serve"},
      .environment = {"TEST_FAULT_POINT=" + options.fault_point},
      .unset_prefix = "GATEWAY_"};
  process.environment.insert(process.environment.end(), options.alteration.begin(), options.alteration.end());
  for (const auto& [path, value] : settings) process.environment.push_back(environment_name(path) + "=" + value);
  if (!options.config.empty())
    process.environment.push_back("GATEWAY_CONFIG=" + folder.write("gateway.json", options.config));
  if (!options.config_file.empty()) process.environment.push_back("GATEWAY_CONFIG=" + options.config_file);
  return process;
}

}  // namespace

std::string environment_name(std::string_view path) {
  std::string name = "GATEWAY_";
  // The third part of these is a name of the operator's own, which keeps its case.
  const bool named = path.starts_with("credentials.locations.") || path.starts_with("cache.operations.");
  int part = 1;
  for (const char c : path) {
    part += c == '.' ? 1 : 0;
    const char capital = named && part == 3 ? c : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    name += c == '.' ? '_' : capital;
  }
  return name;
}

GatewayProcess::GatewayProcess(const GatewayOptions& options)
    : process_(process_options(options, folder_)),
      address_(wait_for_address(process_, Stream::Error, "gateway", options.start_limit)),
      admin_(wait_for_address(process_, Stream::Error, "admin", options.start_limit)) {}

}  // namespace test_support
