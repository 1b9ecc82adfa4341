// leadconnector-simulator: reads its flags, listens, says where in one JSON line, and ends with 0 on SIGTERM or SIGINT.
#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <exception>
#include <iostream>

#include "tests/simulator/options.h"

namespace {

using namespace simulator;

Now real_now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(steady_clock::now().time_since_epoch()),
          duration_cast<milliseconds>(system_clock::now().time_since_epoch())};
}

gateway::server::Options server_options(const CommandLine& line) {
  gateway::server::Options options;
  options.name = "leadconnector-simulator";
  options.addresses = line.listen;
  options.threads = line.threads;
  options.limits.unsent_bytes = 512 * 1024 * 1024;  // a dump of 100,000 contacts is one body
  return options;
}

sigset_t block_stop_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);  // inherited by every thread that follows
  return stop;
}

void announce(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    JsonWriter json;
    json.object()
        .member("event", "listening")
        .member("name", "leadconnector-simulator")
        .member("address", address)
        .end_object();
    std::cout << json.take() << '\n';
  }
  std::cout << std::flush;
}

void serve(const CommandLine& line) {
  const sigset_t stop = block_stop_signals();
  Webhooks webhooks(line.webhooks);
  Simulator api(line.api, real_now, &webhooks);
  for (const auto& [code, grant] : line.codes) api.add_code(code, grant);
  for (const auto& [token, grant] : line.refresh_tokens) api.add_refresh_token(token, grant);
  Exchange exchange(api, line.latency, line.api.world.seed);
  gateway::server::Server server(server_options(line),
                                 [&](std::size_t) { return std::make_unique<ApiHandler>(exchange); });
  server.start();
  announce(server.addresses());
  int signal = 0;
  sigwait(&stop, &signal);
  server.stop();
}

}  // namespace

int main(int count, char** arguments) {
  const auto parsed = parse_command_line({arguments + 1, arguments + count});
  if (const auto* problem = std::get_if<std::string>(&parsed)) {
    std::cerr << "leadconnector-simulator: " << *problem << '\n';
    return 2;
  }
  const auto& line = std::get<CommandLine>(parsed);
  if (line.help || line.version) {
    std::cout << (line.help ? help_text() : "leadconnector-simulator " SIMULATOR_VERSION "\n");
    return 0;
  }
  try {
    serve(line);
  } catch (const std::exception& failure) {
    std::cerr << "leadconnector-simulator: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
