#include <exception>
#include <iostream>

#include "gateway/cli/exit_code.h"
#include "gateway/cli/run.h"

int main(int argc, char** argv) try { return gateway::cli::run(argc, argv); } catch (const std::exception& e) {
  std::cerr << "contacts-gateway: " << e.what() << '\n';
  return gateway::cli::kFailed;
}
