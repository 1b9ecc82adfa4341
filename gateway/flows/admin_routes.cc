#include "gateway/flows/admin_routes.h"

#include <asio/co_spawn.hpp>
#include <cstdlib>

#include "gateway/log/failure.h"
#include "gateway/server/problem.h"
#include "policies/flows/date.h"
#include "policies/flows/json.h"

namespace gateway::flows {

using policies::flows::Array;
using policies::flows::Flow;
using policies::flows::Json;
using policies::flows::Number;
using policies::flows::Object;

namespace {

constexpr std::size_t kMostListed = 1'000;

void answer(const server::Reply& reply, const Json& json) {
  reply.send(admin::answer(200, "application/json", policies::flows::to_text(json) + "\n"));
}

void refuse(const server::Reply& reply, int status, std::string_view type, std::string_view title, std::string detail) {
  reply.send(server::to_response({status, "http_request_error", type, title, std::move(detail)}));
}

void away(const server::Reply& reply) {
  refuse(reply, 503, "flows-unavailable", "Redis is away", "The runs of the flows are kept there; try again.");
}

Json number(std::int64_t value) { return Json(Number{std::to_string(value)}); }

std::string start_of(const Flow& flow) {
  if (const auto* lead = std::get_if<policies::flows::LeadStart>(&flow.on)) return "lead " + lead->source;
  if (const auto* event = std::get_if<policies::flows::EventStart>(&flow.on)) {
    std::string all = "event";
    for (const auto& name : event->events) all += " " + name;
    return all;
  }
  return std::get<policies::flows::Schedule>(flow.on).by_time_of_day() ? "every day" : "every interval";
}

Json flow_json(const Flow& flow) {
  Array steps;
  for (const auto& step : flow.steps) steps.push_back(Json(step.name + ": " + step.operation->name));
  return Json(Object{{"name", Json(flow.name)},
                     {"about", Json(flow.about)},
                     {"on", Json(start_of(flow))},
                     {"file", Json(flow.file)},
                     {"steps", Json(std::move(steps))}});
}

Json letter_json(const DeadLetter& letter) {
  const policies::WallMillis since(std::atoll(letter.since_ms.c_str()));
  return Json(Object{{"run", Json(letter.run)},
                     {"since", Json(policies::flows::iso_date_time(since))},
                     {"flow", Json(letter.flow)},
                     {"event", Json(letter.event)},
                     {"step", Json(letter.step)},
                     {"field", Json(letter.field)},
                     {"reason", Json(letter.reason)},
                     {"attempts", number(std::atoll(letter.tries.c_str()))}});
}

asio::awaitable<void> list(AdminParts parts, server::Reply reply) {
  const auto counts = co_await parts.store.count();
  const auto letters = co_await parts.store.letters(kMostListed);
  if (!counts || !letters) co_return away(reply);
  Array flows, dead;
  for (const auto& flow : *parts.flows) flows.push_back(flow_json(flow));
  for (const auto& letter : *letters) dead.push_back(letter_json(letter));
  answer(reply, Json(Object{{"flows", Json(std::move(flows))},
                            {"queued", number(counts->queued)},
                            {"due", number(counts->due)},
                            {"dead", number(counts->dead)},
                            {"lag_ms", number(counts->oldest.count())},
                            {"letters", Json(std::move(dead))}}));
}

Json parsed_or_text(const std::string& text) {
  auto json = policies::flows::parse_json(text, true);
  if (auto* value = std::get_if<Json>(&json)) return std::move(*value);
  return Json(text);
}

asio::awaitable<void> show(AdminParts parts, server::Reply reply, std::string run) {
  const auto fields = co_await parts.store.letter(run);
  if (!fields) co_return away(reply);
  if (!fields->contains("letter"))
    co_return refuse(reply, 404, "no-such-letter", "No such dead letter", "`contacts-gateway flows list` names them.");
  Object out{{"run", Json(run)}}, steps;
  for (const auto& [name, value] : *fields) {
    if (name.starts_with("s:"))
      steps.emplace_back(name.substr(2), parsed_or_text(value));
    else if (name == "body")
      out.emplace_back(name, parsed_or_text(value));
    else if (name != "letter" && name != "order" && name != "state")
      out.emplace_back(name, Json(value));
  }
  out.emplace_back("steps", Json(std::move(steps)));
  answer(reply, Json(std::move(out)));
}

// The run that a body names, empty for all; nothing where it is neither.
std::optional<std::string> named_run(std::string_view body) {
  const auto json = policies::flows::parse_json(body, true);
  const auto* value = std::get_if<Json>(&json);
  if (value == nullptr || value->as<Object>() == nullptr || value->as<Object>()->size() != 1) return std::nullopt;
  if (const auto* all = value->find("all"); all != nullptr && *all == Json(true)) return "";
  const auto* run = value->find("run");
  const auto* text = run != nullptr ? run->as<std::string>() : nullptr;
  return text != nullptr && !text->empty() ? std::optional(*text) : std::nullopt;
}

asio::awaitable<void> change(AdminParts parts, server::Reply reply, std::string run, bool retry) {
  const auto done = retry ? co_await parts.store.retry(run) : co_await parts.store.drop(run);
  if (!done) co_return away(reply);
  if (*done == 0 && !run.empty())
    co_return refuse(reply, 404, "no-such-letter", "No such dead letter", "`contacts-gateway flows list` names them.");
  answer(reply, Json(Object{{retry ? "retried" : "dropped", number(*done)}}));
}

void spawn(const AdminParts& parts, const server::Reply& reply, asio::awaitable<void> work) {
  asio::co_spawn(parts.io, std::move(work), [reply](const std::exception_ptr& error) {
    if (!error) return;
    log::failure("flows_admin_failed", error);
    away(reply);
  });
}

std::string run_in(std::string_view query) {
  constexpr std::string_view kName = "run=";
  return query.starts_with(kName) ? std::string(query.substr(kName.size())) : std::string();
}

}  // namespace

std::vector<admin::Route> admin_routes(AdminParts parts) {
  const auto changing = [parts](bool retry) {
    return [parts, retry](const server::RequestView& request, server::Reply reply) {
      auto run = named_run(request.body);
      if (!run)
        return refuse(reply, 400, "bad-letter", "The body names no dead letter",
                      R"(expected exactly one of {"run":"ID"} and {"all":true})");
      spawn(parts, reply, change(parts, reply, std::move(*run), retry));
    };
  };
  return {{"GET", "/flows", false,
           [parts](const server::RequestView&, server::Reply reply) { spawn(parts, reply, list(parts, reply)); }},
          {"GET", "/flows/letter", false,
           [parts](const server::RequestView& request, server::Reply reply) {
             spawn(parts, reply, show(parts, reply, run_in(request.query)));
           }},
          {"POST", "/flows/retry", false, changing(true)},
          {"POST", "/flows/drop", false, changing(false)}};
}

}  // namespace gateway::flows
