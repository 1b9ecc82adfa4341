// The control API under /_simulator/: faults, books, seeds, edits behind the gateway's back. No token, no limits.
#include <algorithm>

#include "tests/simulator/simulator.h"

namespace simulator {

namespace {

constexpr std::string_view kPrefix = "/_simulator/";

Answer done() { return {200, R"({"ok":true})"}; }
Answer wrong(std::string_view what) { return error(400, what); }

std::size_t count_member(const Value& body, const char* name, std::size_t otherwise) {
  return body.HasMember(name) && body[name].IsUint64() ? body[name].GetUint64() : otherwise;
}

void write_record(JsonWriter& json, const Record& record) {
  json.object();
  write_members(json, *record.contact, Form::Full, false);
  json.key("tasks").array();
  for (const Task& task : record.tasks) write_task(json, task, record.contact->id);
  json.end_array().key("notes").array();
  for (const Note& note : record.notes) write_note(json, note, record.contact->id);
  json.end_array().key("appointments").array();
  for (const Appointment& appointment : record.appointments) write_appointment(json, appointment, *record.contact);
  json.end_array();
  json.key("campaigns").texts({record.contact->campaigns.begin(), record.contact->campaigns.end()});
  json.key("workflows").texts({record.contact->workflows.begin(), record.contact->workflows.end()});
  json.end_object();
}

void write_repeated(JsonWriter& json, const char* name, const std::map<std::string, std::size_t>& counts) {
  json.key(name).array();
  for (const auto& [key, count] : counts) {
    if (count > 1) json.object().member("key", key).count("count", count).end_object();
  }
  json.end_array();
}

}  // namespace

Answer Simulator::control(const Call& call) {
  const std::string_view path = std::string_view(call.path).substr(std::min(call.path.size(), kPrefix.size()));
  const std::optional<Document> body = parse_json(call.body);
  if (!body || !body->IsObject()) return wrong("the body must be a JSON object");
  const std::string request = call.method + " " + std::string(path);
  const Lock lock(mutex_);
  const Now at = now();
  if (request == "GET books") return books(call);
  if (request == "GET arrivals") return arrivals(call);
  if (request == "GET contacts") return dump(call);
  if (request == "POST faults") return add_fault(*body);
  if (request == "DELETE faults") return faults_.clear(), done();
  if (request == "POST reset") return reset();
  if (request == "POST seed") return seed_more(*body, at);
  if (request == "POST revoke") return revoke(*body);
  if (request == "POST edit") return edit(*body, at);
  if (request == "POST grant") return grant(*body);
  if (request == "POST limits") return change_limits(*body);
  if (path.starts_with("webhooks") && sink_ != nullptr) return sink_->control(call, at);
  return error(404, "no control call " + request);
}

Answer Simulator::add_fault(const Document& body) {
  const auto rule = parse_fault_rule(body);
  if (const auto* problem = std::get_if<std::string>(&rule)) return wrong(*problem);
  faults_.add(std::get<FaultRule>(rule));
  return done();
}

void Simulator::write_location_books(JsonWriter& json, std::chrono::microseconds width) {
  json.key("locations").array();
  for (const auto& [key, book] : limit_books_) {
    if (book.arrivals() == 0) continue;
    json.object().member("app", key.app).member("location", key.location).count("arrivals", book.arrivals());
    json.count("accepted", book.arrivals() - book.refused()).count("refused", book.refused());
    json.count("max_arrivals_in_window", book.most_in_window(width));
    json.count("max_accepted_in_window", book.most_admitted_in_window(width)).member("complete", book.complete());
    json.end_object();
  }
  json.end_array();
}

void Simulator::write_creations(JsonWriter& json) {
  const Creations& creations = world_->creations;
  json.key("created").object().count("contacts", creations.contacts);
  json.count("distinct_emails", creations.by_email.size());
  write_repeated(json, "repeated_emails", creations.by_email);
  json.count("distinct_idempotency_keys", creations.by_idempotency_key.size());
  write_repeated(json, "repeated_idempotency_keys", creations.by_idempotency_key);
  json.end_object();
}

Answer Simulator::books(const Call& call) {
  std::chrono::microseconds width = limits_.interval;
  if (const auto text = form_value(call.query, "window")) {
    const auto parsed = parse_duration(*text);
    if (!parsed || parsed->count() == 0) return wrong("window must be a duration: 250ms, 10s");
    width = *parsed;
  }
  JsonWriter json;
  std::size_t total = 0;
  std::map<int, std::size_t> statuses;
  json.object().key("requests").array();
  for (const auto& [key, count] : requests_) {
    json.object().member("operation", key.first).key("status").number(static_cast<long long>(key.second));
    json.count("count", count).end_object();
    statuses[key.second] += count;
    total += count;
  }
  json.end_array().count("total", total).key("statuses").object();
  for (const auto& [status, count] : statuses) json.count(std::to_string(status), count);
  json.end_object().count("window_ms", static_cast<std::size_t>(width.count() / 1000));
  write_location_books(json, width);
  const RefreshBook& refresh = credentials_.book();
  json.key("refresh_tokens").object().count("issued", refresh.issued).count("uses", refresh.uses);
  json.count("used_again", refresh.used_again).count("unknown", refresh.unknown).end_object();
  json.count("contacts", world_->store.size()).count("faults", faults_.struck());
  write_creations(json);
  if (sink_ != nullptr) json.key("webhooks").raw(sink_->book());
  json.end_object();
  return {200, json.take()};
}

// Microseconds of the steady clock, positive where admitted, negative where refused.
Answer Simulator::arrivals(const Call& call) {
  const std::string location = form_value(call.query, "locationId").value_or("");
  JsonWriter json;
  json.object().key("arrivals").array();
  for (const auto& [key, book] : limit_books_) {
    if (key.location != location) continue;
    for (const LimitBook::Arrival& arrival : book.kept()) {
      json.number(static_cast<long long>(arrival.admitted ? arrival.at.count() : -arrival.at.count()));
    }
  }
  json.end_array().end_object();
  return {200, json.take()};
}

// Contacts as at the start; limits, books and faults empty. Tokens stay: a gateway under test goes on with its own.
Answer Simulator::reset() {
  start_world();
  limit_books_.clear();
  requests_.clear();
  faults_.clear();
  credentials_.clear_book();
  return done();
}

Answer Simulator::seed_more(const Document& body, Now at) {
  Seed what;
  what.location = string_member(body, "location").value_or("");
  if (what.location.empty()) return wrong("'location' must be a string");
  what.contacts = count_member(body, "contacts", what.contacts);
  what.tasks = count_member(body, "tasks", what.tasks);
  what.notes = count_member(body, "notes", what.notes);
  what.appointments = count_member(body, "appointments", what.appointments);
  const std::uint64_t first = world_->seeded + 1;
  seed(*world_, what, at.steady);
  JsonWriter json;
  json.object().member("first", numbered_id("contact", first)).count("contacts", what.contacts).end_object();
  return {200, json.take()};
}

Answer Simulator::revoke(const Document& body) {
  if (const auto refresh = string_member(body, "refresh_token")) {
    return credentials_.revoke_refresh_token(*refresh) ? done() : error(404, "no such refresh token");
  }
  const std::size_t count = credentials_.revoke(string_member(body, "access_token").value_or(""),
                                                string_member(body, "locationId").value_or(""));
  JsonWriter json;
  json.object().count("revoked", count).end_object();
  return {200, json.take()};
}

// {"contactId":…, "set":{…}} is an update, {"contactId":…, "delete":true} a deletion; {"method", "path", "body"} is any
// operation.
Answer Simulator::edit(const Document& body, Now) {
  Call call;
  call.method = string_member(body, "method").value_or("PUT");
  call.path = string_member(body, "path").value_or("/contacts/" + string_member(body, "contactId").value_or(""));
  if (body.HasMember("delete") && body["delete"].IsTrue()) call.method = "DELETE";
  for (const char* name : {"body", "set"}) {
    if (body.HasMember(name)) call.body = to_json(body[name]);
  }
  Admission admission;
  admission.route = route(call.method, call.path, false);
  if (admission.route.operation == nullptr) return error(404, "Cannot " + call.method + " " + call.path);
  return answer(call, admission, parse_json(call.body));
}

Answer Simulator::dump(const Call& call) {
  const auto location = form_value(call.query, "locationId");
  std::map<ListKey, const Record*> ordered;
  for (const auto& [id, record] : world_->store.records()) {
    if (!location || record.contact->location == *location) ordered[{record.contact->added.count(), id}] = &record;
  }
  JsonWriter json;
  json.object().key("contacts").array();
  for (const auto& [key, record] : ordered) write_record(json, *record);
  json.end_array().count("total", ordered.size()).end_object();
  return {200, json.take()};
}

// A code and a refresh token that work once, as an installation of the app would bring them.
Answer Simulator::grant(const Document& body) {
  const Grant grant{string_member(body, "clientId").value_or(""), string_member(body, "locationId").value_or(""),
                    string_member(body, "companyId").value_or(""),
                    string_member(body, "scope").value_or(credentials_.scope())};
  if (grant.location.empty() == grant.company.empty()) return wrong("give either locationId or companyId");
  JsonWriter json;
  json.object().member("code", credentials_.new_code(grant));
  json.member("refresh_token", credentials_.new_refresh_token(grant)).end_object();
  return {200, json.take()};
}

Answer Simulator::change_limits(const Document& body) {
  LimitOptions limits = limits_;
  limits.requests = count_member(body, "limit", limits.requests);
  limits.daily = count_member(body, "daily", limits.daily);
  if (const auto text = string_member(body, "interval")) {
    const auto interval = parse_duration(*text);
    if (!interval || interval->count() == 0) return wrong("interval must be a duration: 250ms, 10s");
    limits.interval = *interval;
  }
  if (const auto text = string_member(body, "window")) limits.fixed = *text == "fixed";
  limits_ = limits;
  return done();
}

}  // namespace simulator
