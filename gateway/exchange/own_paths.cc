#include "gateway/exchange/own_paths.h"

#include <stdexcept>

namespace gateway::exchange {

std::string_view OwnRequest::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters)
    if (known == name) return value;
  return {};
}

void OwnRequest::answer(server::Response response, std::string_view refusal) const {
  const int status = response.status;
  response.fields.set("X-Request-Id", id);
  reply.send(std::move(response));
  finished(status, refusal);
}

void OwnRequest::finished(int status, std::string_view refusal) const {
  Finished done;
  done.operation = operation;
  done.method = method;
  done.status = status;
  done.client = client;
  done.location = location;
  done.id = id;
  done.refusal = refusal;
  done.started = started;
  done.trace = trace.get();
  reporter->finished(done);
}

void OwnPaths::handle(std::string_view name, Handler handler) {
  const auto* operation = paths_.find(name);
  if (operation == nullptr) throw std::logic_error("gateway.json has no path called " + std::string(name));
  handlers_[operation->index - paths_.operations().front().index] = std::move(handler);
}

policies::MatchResult OwnPaths::match(std::string_view method, std::string_view path) const {
  auto matched = paths_.match(method, path);
  if (const auto* wrong = std::get_if<policies::WrongMethod>(&matched)) {
    const auto right = match(std::string_view(wrong->allow).substr(0, wrong->allow.find(',')), path);
    if (std::holds_alternative<policies::UnknownPath>(right)) return right;
  }
  if (const auto* match = std::get_if<policies::Match>(&matched); match != nullptr && !*handler_of(*match->operation))
    return policies::UnknownPath{};
  return matched;
}

const OwnPaths::Handler* OwnPaths::handler_of(const policies::Operation& operation) const {
  return operation.own ? &handlers_[operation.index - paths_.operations().front().index] : nullptr;
}

}  // namespace gateway::exchange
