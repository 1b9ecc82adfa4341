#include "tests/gateway/server/test_server.h"

namespace gateway::server::test {

class TestServer::Adapter : public Handler {
 public:
  explicit Adapter(TestServer& server) : server_(server) {}
  void on_request(const RequestView& request, Reply reply) override { server_.on_request_(request, std::move(reply)); }
  void on_refused(Response&, std::string_view reason) override {
    server_.last_refusal_ = reason.data();  // reasons are literals
    ++server_.refusals;
  }

 private:
  TestServer& server_;
};

TestServer::TestServer(OnRequest on_request, Limits limits, std::size_t threads, std::vector<std::string> addresses,
                       std::shared_ptr<const TlsContext> tls)
    : on_request_(std::move(on_request)),
      server({"test", std::move(addresses), threads, limits, {}, std::move(tls)},
             [this](std::size_t) { return std::make_unique<Adapter>(*this); }) {
  server.start();
}

void Event::set() {
  const std::lock_guard lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Event::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return set_; });
}

bool Event::is_set() {
  const std::lock_guard lock(mutex_);
  return set_;
}

Response text(std::string body, int status) {
  return {status, {{"Content-Type", "text/plain"}}, std::make_shared<const std::string>(std::move(body))};
}

std::string describe(const RequestView& request) {
  std::string out;
  out.append(request.method).append(" ").append(request.path).append(" ?").append(request.query);
  out.append(" @").append(request.host).append(" 1.").append(std::to_string(request.minor_version)).append("\n");
  for (const auto& field : request.fields) out.append(field.name).append("=").append(field.value).append("\n");
  return out.append("[").append(request.body).append("]");
}

void echo(const RequestView& request, Reply reply) { reply.send(text(describe(request))); }

}  // namespace gateway::server::test
