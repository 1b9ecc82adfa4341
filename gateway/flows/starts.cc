#include "gateway/flows/starts.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <optional>
#include <utility>

#include "gateway/clock.h"
#include "gateway/fault_point.h"
#include "gateway/flows/known.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/random.h"
#include "gateway/server/problem.h"
#include "policies/flows/date.h"
#include "policies/idempotency.h"
#include "policies/location.h"

namespace gateway::flows {

using policies::flows::Flow;
using policies::flows::Json;
using policies::flows::Object;

namespace {

std::string text_member(const Json& json, std::string_view name) {
  const auto* value = json.find(name);
  if (value == nullptr) return {};
  if (const auto* text = value->as<std::string>()) return *text;
  if (const auto* number = value->as<policies::flows::Number>()) return number->text;
  return {};
}

// In which order its runs are made, as a name that may stand in a key; empty: in none.
std::string order_of(const Flow& flow, const Json& known) {
  const auto result = flow.in_order_of.evaluate(known);
  const auto* value = std::get_if<std::optional<Json>>(&result);
  if (value == nullptr || !*value || (*value)->is_empty()) return {};
  return sha256_hex(policies::flows::to_text(**value)).substr(0, 32);
}

template <typename Listens>
std::vector<NewRun> runs_of(const Flows& flows, const Event& event, const Json& body, Listens listens) {
  std::vector<NewRun> runs;
  for (const auto& flow : flows) {
    if (!listens(flow)) continue;
    auto id = run_id(event.id, flow.name);
    const auto known = known_of(id, event, body);
    if (flow.when.holds(known)) runs.push_back({std::move(id), flow.name, order_of(flow, known)});
  }
  return runs;
}

bool good_source(std::string_view source) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !source.empty() && source.size() <= 64 && source.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string why_no_lead(const std::variant<Json, policies::flows::JsonProblem>& body) {
  constexpr std::array kKinds{"null", "true or false", "a number", "a text", "a list", "an object"};
  if (const auto* problem = std::get_if<policies::flows::JsonProblem>(&body))
    return "The body is " + problem->what + "; expected one object like {\"email\":\"ada@example.com\"}.";
  return std::string("The body is ") + kKinds.at(std::get<Json>(body).value.index()) +
         R"(; expected one object like {"email":"ada@example.com"}. Send each lead of a list by itself.)";
}

// Two leads for which `what` is the same are one lead, sent twice.
struct KnownBy {
  std::string what;
  bool again = true;  // it can be sent twice at all
};
// Nothing: its Idempotency-Key is malformed.
std::optional<KnownBy> what_it_is_known_by(const exchange::OwnRequest& request, const Json& lead,
                                           const std::string& fingerprint) {
  if (const auto given = request.fields.find("Idempotency-Key")) {
    const auto key = policies::parse_idempotency_key(*given);
    return key ? std::optional(KnownBy{"key\n" + *key}) : std::nullopt;
  }
  // A lead that changed has the same id: only its very bytes are a repeat.
  if (lead.find("id") != nullptr) return KnownBy{"same\n" + fingerprint};
  return KnownBy{"new\n" + random_hex(16), false};
}

void refuse(const exchange::OwnRequest& request, int status, std::string_view type, std::string_view title,
            std::string detail) {
  auto response = server::to_response({status, "http_request_error", type, title, std::move(detail)});
  if (status == 503) response.fields.add("Retry-After", "1");
  request.answer(std::move(response), type);
}

}  // namespace

struct Starts::Lead {
  Event event;
  std::string fingerprint;
  std::vector<NewRun> runs;
  bool noted = false;  // in Redis, also where it starts no run: so that another one under its key is told apart
};

asio::awaitable<bool> Starts::on_webhook(std::shared_ptr<const webhooks::Received> received) {
  const auto* trigger = policies::Triggers::builtin().find(received->event.type);
  if (trigger == nullptr) co_return true;
  bool listened = false;
  for (const auto& flow : *flows_) listened = listened || flow.on_event(trigger->name);
  if (!listened) co_return true;
  auto body = policies::flows::parse_json(received->body, true);
  if (!std::holds_alternative<Json>(body)) co_return true;  // nested too deep for a flow; its signature was right
  const auto& json = std::get<Json>(body);
  Event event{
      "webhook:" + received->event.id, "event", trigger->name, "", text_member(json, "locationId"), wall_now(), {}};
  auto runs = runs_of(*flows_, event, json, [&](const Flow& flow) { return flow.on_event(trigger->name); });
  if (runs.empty()) co_return true;
  event.body = received->body;
  const auto kept = co_await store_.enqueue(std::move(event), std::move(runs), "webhook");
  co_return kept != Enqueued::Unavailable;
}

void Starts::take_lead(std::shared_ptr<exchange::OwnRequest> request) {
  const std::string source(request->parameter("source"));
  bool listened = false;
  for (const auto& flow : *flows_) listened = listened || flow.on_lead(source);
  if (!good_source(source) || !listened)
    return refuse(*request, 404, "unknown-source", "No flow listens to this source",
                  "`contacts-gateway flows list` shows what the flows listen to.");
  if (request->body.size() > kLargestLead)
    return refuse(*request, 413, "lead-too-large", "The lead is too large", "At most 1 MiB is taken.");
  auto body = policies::flows::parse_json(request->body, true);
  const auto* json = std::get_if<Json>(&body);
  if (json == nullptr || json->as<Object>() == nullptr)
    return refuse(*request, 400, "bad-lead", "A lead is a JSON object", why_no_lead(body));

  auto lead = std::make_shared<Lead>();
  lead->fingerprint = sha256_hex(request->location + "\n" + request->body);
  const auto known_by = what_it_is_known_by(*request, *json, lead->fingerprint);
  if (!known_by)
    return refuse(*request, 400, "idempotency-malformed", "Malformed Idempotency-Key",
                  "Send one non-empty key of at most 255 printable characters.");
  const auto id = sha256_hex(std::to_string(request->client) + "\n" + source + "\n" + known_by->what).substr(0, 32);
  lead->event = {"lead:" + id, "lead", "", source, request->location, wall_now(), {}, request->restricted};
  lead->runs = runs_of(*flows_, lead->event, *json, [&](const Flow& flow) { return flow.on_lead(source); });
  lead->event.body = request->body;
  lead->noted = known_by->again || !lead->runs.empty();
  asio::co_spawn(io_, keep_lead(request, lead), [request](const std::exception_ptr& error) {
    if (!error) return;
    log::failure("lead_failed", error);
    refuse(*request, 503, "lead-not-kept", "The lead cannot be taken now", "Send it again.");
  });
}

asio::awaitable<void> Starts::keep_lead(std::shared_ptr<exchange::OwnRequest> request,
                                        std::shared_ptr<const Lead> lead) {
  auto kept = Enqueued::New;
  if (lead->noted) kept = co_await store_.enqueue(lead->event, lead->runs, lead->fingerprint);
  fault_point("lead-kept");
  if (kept == Enqueued::Unavailable)
    co_return refuse(*request, 503, "lead-not-kept", "The lead cannot be taken now", "Redis is away: send it again.");
  if (kept == Enqueued::Different)
    co_return refuse(*request, 422, "idempotency-mismatch", "Idempotency-Key used for another lead",
                     "This key was sent before with a different body; use a new key for a new lead.");
  policies::flows::Array runs;
  for (const auto& run : lead->runs) runs.push_back(Json(Object{{"flow", Json(run.flow)}, {"run", Json(run.id)}}));
  server::Response response;
  response.status = 202;
  response.fields.add("Content-Type", "application/json");
  response.body = std::make_shared<const std::string>(
      policies::flows::to_text(Json(Object{{"event", Json(lead->event.id)},
                                           {"repeated", Json(kept == Enqueued::Before)},
                                           {"runs", Json(std::move(runs))}})) +
      "\n");
  request->answer(std::move(response));
}

asio::awaitable<void> Starts::tick() {
  const auto flows = flows_;
  for (const auto& flow : *flows) {
    const auto* schedule = std::get_if<policies::flows::Schedule>(&flow.on);
    if (schedule == nullptr) continue;
    const auto now = wall_now();
    const auto slot = schedule->slot_of(now);
    if (const auto known = slots_.find(flow.name); known != slots_.end() && known->second == slot) continue;
    const auto start = policies::flows::iso_date_time(slot);
    const auto body = policies::flows::to_text(Json(Object{{"flow", Json(flow.name)}, {"slot", Json(start)}}));
    const auto done = co_await store_.tick(flow.name, slot, run_id("every:" + start, flow.name), now, body);
    if (done && *done != 2) slots_[flow.name] = slot;
    if (done && *done == 1) log::info("flow_due", {{"flow", std::string_view(flow.name)}});
  }
}

}  // namespace gateway::flows
