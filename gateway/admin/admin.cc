#include "gateway/admin/admin.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "gateway/access/key_hash.h"
#include "gateway/server/problem.h"
#include "policies/foreign_site.h"

namespace gateway::admin {

namespace {

using server::Problem;
using server::RequestView;

std::optional<std::string_view> bearer(const RequestView& request) {
  constexpr std::string_view kScheme = "bearer ";
  const auto field = policies::find_field(request.fields, "Authorization");
  if (!field || field->size() <= kScheme.size() || !policies::same_name(field->substr(0, kScheme.size()), kScheme))
    return std::nullopt;
  return field->substr(kScheme.size());
}

// A page of another site can make a browser on this machine send requests here; it cannot hide its Origin.
bool from_another_site(const RequestView& request) {
  const auto origin = policies::find_field(request.fields, "Origin");
  if (!origin) return false;
  const std::size_t scheme = origin->find("://");
  return scheme == std::string_view::npos || !policies::same_name(origin->substr(scheme + 3), request.host);
}

std::optional<Problem> refusal(const Access& access, const Route& route, const RequestView& request) {
  if (!route.open && access.key_hash.empty() && access.reachable)
    return Problem{403, "http_request_denied", "admin-key-not-configured", "Only metrics and health are served here",
                   "Others can reach this address and no admin key is configured: set admin.key_hash to what "
                   "`contacts-gateway hash-key` prints, or let admin.listen be a loopback address."};
  if (!route.open && access.key_hash.empty() && !policies::names_this_machine(request.host))
    return Problem{403, "http_request_denied", "foreign-host", "This name is not known here",
                   "Without an admin key only IP addresses and localhost are taken as Host, since another site's page "
                   "could let its own name point here."};
  if (!route.open && !route.without_key && !access.key_hash.empty()) {
    const auto key = bearer(request);
    if (!key || !access::key_matches(*key, access.key_hash))
      return Problem{401, "http_request_denied", "admin-key-needed", "The admin key is missing or wrong",
                     "Send it as `Authorization: Bearer KEY`."};
  }
  if (route.method != "GET" && from_another_site(request))
    return Problem{403, "http_request_denied", "cross-site-request", "Another site's page sent this request",
                   "The Origin field names another host than this one."};
  return std::nullopt;
}

bool takes(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

server::Response with_challenge(const Problem& problem) {
  auto response = server::to_response(problem);
  if (problem.status == 401) response.fields.add("WWW-Authenticate", "Bearer realm=\"contacts-gateway admin\"");
  return response;
}

}  // namespace

class Admin::Handler : public server::Handler {
 public:
  explicit Handler(const Admin& admin) : admin_(admin) {}

  void on_request(const RequestView& request, server::Reply reply) override {
    std::string allow;
    for (const Route& route : admin_.routes_) {
      if (route.path != request.path) continue;
      if (takes(route, request.method)) return serve(route, request, std::move(reply));
      allow.append(allow.empty() ? "" : ", ").append(route.method == "GET" ? "GET, HEAD" : route.method);
    }
    if (allow.empty())
      return reply.send(server::to_response(
          {404, "http_request_error", "unknown-path", "Nothing is here",
           "The admin address serves the status page at /, /events, /metrics, /healthz, /readyz, /operations and POST "
           "/cache/purge."}));
    auto response = server::to_response(
        {405, "http_request_error", "wrong-method", "This path takes another method", "It takes " + allow + "."});
    response.fields.add("Allow", allow);
    reply.send(std::move(response));
  }

 private:
  void serve(const Route& route, const RequestView& request, server::Reply reply) const {
    if (const auto problem = refusal(admin_.access_, route, request)) return reply.send(with_challenge(*problem));
    route.answer(request, std::move(reply));
  }

  const Admin& admin_;
};

Admin::Admin(Access access) : access_(std::move(access)) {
  add({"GET", "/healthz", true,
       [](const RequestView&, server::Reply reply) { reply.send(answer(200, "text/plain; charset=utf-8", "ok\n")); }});
  add({"GET", "/readyz", true, [this](const RequestView&, server::Reply reply) { ready(std::move(reply)); }});
}

void Admin::add(Route route) { routes_.push_back(std::move(route)); }
void Admin::add_ready_check(std::function<ReadyPart()> check) { checks_.push_back(std::move(check)); }

server::HandlerFactory Admin::handlers() const {
  return [this](std::size_t) { return std::make_unique<Handler>(*this); };
}

void Admin::ready(server::Reply reply) const {
  std::vector<ReadyPart> parts;
  for (const auto& check : checks_) parts.push_back(check());
  const bool all = std::all_of(parts.begin(), parts.end(), [](const ReadyPart& part) { return part.ready; });

  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const auto string = [&](const std::string& text) {
    json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  };
  json.StartObject();
  json.Key("ready"), json.Bool(all);
  json.Key("parts"), json.StartArray();
  for (const ReadyPart& part : parts) {
    json.StartObject();
    json.Key("name"), string(part.name);
    json.Key("ready"), json.Bool(part.ready);
    json.Key("why"), string(part.why);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  reply.send(answer(all ? 200 : 503, "application/json", std::string(buffer.GetString(), buffer.GetSize()) + "\n"));
}

server::Response answer(int status, std::string_view type, std::string body) {
  server::Response response;
  response.status = status;
  response.fields.add("Content-Type", std::string(type));
  response.fields.add("Cache-Control", "no-store");
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

}  // namespace gateway::admin
