#include "gateway/exchange/service.h"

#include "gateway/server/problem.h"

namespace gateway::exchange {

namespace {

class Unavailable : public server::Handler {
 public:
  void on_request(const server::RequestView&, server::Reply reply) override {
    reply.send(server::to_response(
        {503, "http_request_error", "not-available", "No exchange is built in", "This build answers no requests."}));
  }
};

}  // namespace

class Service::Impl {};

Service::Service(std::shared_ptr<const config::Settings>, metrics::Metrics&, admin::Admin&)
    : impl_(std::make_unique<Impl>()) {}
Service::~Service() = default;

server::HandlerFactory Service::handlers() {
  return [](std::size_t) { return std::make_unique<Unavailable>(); };
}

void Service::start() {}
void Service::stop() {}

}  // namespace gateway::exchange
