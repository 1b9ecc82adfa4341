#include "gateway/lifecycle/edge_tls.h"

namespace gateway::lifecycle {

std::shared_ptr<const server::TlsContext> make_edge_tls(const config::Settings::Server::Tls& files) {
  if (files.certificate.empty()) return nullptr;
  return std::make_shared<server::TlsContext>(server::TlsContext::Files{files.certificate, files.key, files.client_ca});
}

config::Problems tls_problems(const config::Settings& settings) try {
  make_edge_tls(settings.server.tls);
  return {};
} catch (const std::runtime_error& e) {
  return {std::string("server.tls: ") + e.what()};
}

}  // namespace gateway::lifecycle
