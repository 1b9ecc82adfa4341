#include "tests/simulator/simulator.h"

#include <functional>

namespace simulator {

namespace {

constexpr std::string_view kTokenPath = "/oauth/token";
constexpr std::string_view kLocationTokenPath = "/oauth/locationToken";
constexpr std::string_view kInstalledPath = "/oauth/installedLocations";
constexpr std::chrono::milliseconds kLogicalStart{1'735'689'600'000};  // 2025-01-01T00:00:00Z

bool known_version(std::string_view version) {
  return version == "2021-07-28" || version == "2021-04-15" || version == "2023-02-21" || version == "v3";
}

std::string_view without_slash(std::string_view path) {
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

bool is_oauth(std::string_view path) { return path.starts_with("/oauth/"); }

// The document of a JSON body; an OAuth form is none, nor is a multipart body.
std::optional<Document> body_of(const Call& call) {
  const bool form = is_oauth(call.path) && !call.body.starts_with('{');
  return form || call.body.starts_with("--") ? parse_json("{}") : parse_json(call.body);
}

// The location the call itself names: query, body, header, in that order.
std::string named_location(const Call& call) {
  for (const char* name : {"locationId", "location_id"})
    if (const auto named = form_value(call.query, name); named && !named->empty()) return *named;
  if (!call.body.empty()) {
    const auto body = parse_json(call.body);
    if (body) {
      if (const auto named = string_member(*body, "locationId"); named && !named->empty()) return *named;
    }
  }
  return call.location;
}

std::string operation_name(const Call& call, const Admission& admission) {
  if (admission.route.operation != nullptr) return admission.route.operation->name;
  const std::string_view path = without_slash(call.path);
  if (path == kTokenPath) return "get-access-token";
  if (path == kLocationTokenPath) return "get-location-access-token";
  if (path == kInstalledPath) return "get-installed-location";
  return "unknown";
}

void add_limit_fields(Admission& admission, const Verdict& verdict, const LimitOptions& limits) {
  auto& fields = admission.fields;
  fields.reserve(6);
  if (limits.requests > 0) {
    fields.emplace_back("X-RateLimit-Max", std::to_string(limits.requests));
    fields.emplace_back("X-RateLimit-Remaining", std::to_string(verdict.remaining));
    fields.emplace_back("X-RateLimit-Interval-Milliseconds", std::to_string(limits.interval.count() / 1000));
  }
  if (limits.daily > 0) {
    fields.emplace_back("X-RateLimit-Limit-Daily", std::to_string(limits.daily));
    fields.emplace_back("X-RateLimit-Daily-Remaining", std::to_string(verdict.daily_remaining));
    fields.emplace_back("X-RateLimit-Daily-Reset", std::to_string(verdict.daily_reset.count()));
  }
}

std::string etag_of(const std::string& body, Etag kind) {
  char text[32];
  std::snprintf(text, sizeof text, "%s\"%zx\"", kind == Etag::Weak ? "W/" : "", std::hash<std::string>()(body));
  return text;
}

}  // namespace

Simulator::Simulator(Options options, Clock clock, EventSink* sink)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      sink_(sink),
      credentials_(options_.credentials, options_.world.seed),
      limits_(options_.limits),
      faults_(options_.world.seed) {
  const Lock lock(mutex_);
  start_world();
}

void Simulator::start_world() {
  world_ = std::make_unique<World>(options_.world);
  ticks_ = 0;
  for (const Seed& what : options_.seeds) seed(*world_, what, clock_().steady);
}

Now Simulator::now() {
  Now at = clock_();
  if (options_.logical_clock) at.wall = kLogicalStart + std::chrono::milliseconds(ticks_);
  return at;
}

Admission Simulator::admit(const Call& call) {
  Admission admission;
  admission.v3 = call.version == "v3";
  admission.route = route(call.method, call.path, admission.v3);
  const Lock lock(mutex_);
  admission.refusal = refusal(call, admission, now());
  if (admission.refusal) return admission;
  if (options_.allow_faults && !call.fault.empty()) {
    const auto asked = parse_fault(call.fault);
    if (const auto* problem = std::get_if<std::string>(&asked))
      admission.refusal = error(400, *problem);
    else
      admission.fault = std::get<Fault>(asked);
  } else {
    admission.fault = faults_.choose(call.method, call.path);
  }
  return admission;
}

std::optional<Answer> Simulator::refusal(const Call& call, Admission& admission, Now at) {
  const std::string_view path = without_slash(call.path);
  if (path == kTokenPath && call.method == "POST") return std::nullopt;
  const Grant* grant = credentials_.check(call.authorization, at.steady);
  if (grant != nullptr) admission.grant = *grant;
  if (is_oauth(path)) {
    if (grant == nullptr) return error(401, "Invalid JWT");
    return known_version(call.version) ? std::nullopt : std::optional(error(401, "version header was not found."));
  }
  const std::string location = admission.grant.location.empty() ? named_location(call) : admission.grant.location;
  LimitBook& book = limit_books_[{admission.grant.app, location}];
  const Verdict verdict = grant == nullptr ? book.peek(at.steady, limits_) : book.arrive(at.steady, limits_);
  add_limit_fields(admission, verdict, limits_);
  if (grant == nullptr) return error(401, "Invalid JWT");
  if (!verdict.admitted) return error(429, "Too Many Requests");
  if (!known_version(call.version)) return error(401, "version header was not found.");
  if (admission.route.operation == nullptr) return error(404, "Cannot " + call.method + " " + call.path);
  const Operation& operation = *admission.route.operation;
  const std::string_view scope = operation.scope != nullptr ? operation.scope
                                 : operation.write          ? "contacts.write"
                                                            : "contacts.readonly";
  const bool right_level = grant->company.empty() || scope.starts_with("users.");
  if (!right_level || grant->scope.find(scope) == std::string::npos) {
    return error(401, "The token is not authorized for this scope.");
  }
  return std::nullopt;
}

Answer Simulator::refuse(const Call& call, const Admission& admission) {
  const Lock lock(mutex_);
  Answer out;
  if (admission.refusal) {
    out = *admission.refusal;
  } else {
    out = admission.fault.status == 429 ? error(429, "Too Many Requests")
                                        : error(admission.fault.status, "Fault on request");
    if (admission.fault.retry_after >= 0)
      out.fields.emplace_back("Retry-After", std::to_string(admission.fault.retry_after));
  }
  finish(call, admission, out);
  return out;
}

Answer Simulator::perform(const Call& call, const Admission& admission) {
  const std::optional<Document> body = body_of(call);
  const Lock lock(mutex_);
  Answer out = answer(call, admission, body);
  finish(call, admission, out);
  return out;
}

Answer Simulator::answer(const Call& call, const Admission& admission, const std::optional<Document>& body) {
  if (admission.route.operation == nullptr) return perform_oauth(call, admission, body, now());
  if (!body) return error(400, "Unexpected token in JSON");
  const Operation& operation = *admission.route.operation;
  if (const auto wrong = complaints(operation.body, *body); !wrong.empty()) {
    return unprocessable(operation.invalid_status, wrong);
  }
  if (operation.write) ++ticks_;
  const Now at = now();
  Events events(sink_ != nullptr && sink_->wants_events(), at, world_->traces);
  Context context{*world_, call, admission.route, *body, at, admission.v3, admission.grant.location, events};
  Answer out = run(context);
  for (std::string& event : events.take()) sink_->send(std::move(event));
  return out;
}

Answer Simulator::perform_oauth(const Call& call, const Admission& admission, const std::optional<Document>& body,
                                Now at) {
  const std::string_view path = without_slash(call.path);
  if (path == kTokenPath && call.method == "POST") return credentials_.token_request(call, at.steady);
  if (path == kInstalledPath && call.method == "GET") return installed_locations();
  if (path != kLocationTokenPath || call.method != "POST") return error(404, "Cannot " + call.method + " " + call.path);
  if (!body) return error(400, "Unexpected token in JSON");
  const auto member = [&](const char* name) {
    return form_value(call.body, name).value_or(string_member(*body, name).value_or(""));
  };
  return credentials_.location_token(admission.grant, member("companyId"), member("locationId"), at.steady);
}

Answer Simulator::installed_locations() const {
  JsonWriter json;
  json.object().key("locations").array();
  for (const Seed& what : options_.seeds) {
    json.object().member("_id", what.location).member("name", what.location).member("address", "3535 1st St N");
    json.member("isInstalled", true).end_object();
  }
  json.end_array().count("count", options_.seeds.size()).member("installToFutureLocations", false).end_object();
  return {200, json.take()};
}

void Simulator::finish(const Call& call, const Admission& admission, Answer& answer) {
  answer.fields.insert(answer.fields.end(), admission.fields.begin(), admission.fields.end());
  if (options_.vary) {
    answer.fields.emplace_back("Vary", "Accept-Language");
    answer.fields.emplace_back("Content-Language", call.accept_language.empty() ? "en" : call.accept_language);
  }
  if (options_.etag != Etag::Off && call.method == "GET" && answer.status == 200) validate(call, answer);
  ++requests_[{operation_name(call, admission), answer.status}];
}

void Simulator::validate(const Call& call, Answer& answer) const {
  const std::string etag = etag_of(answer.body, options_.etag);
  answer.fields.emplace_back("ETag", etag);
  if (!call.if_none_match.empty() && call.if_none_match.find(etag) != std::string::npos) {
    answer.status = 304;
    answer.body.clear();
  }
}

void Simulator::add_refresh_token(const std::string& token, const Grant& grant) {
  const Lock lock(mutex_);
  credentials_.add_refresh_token(token, grant);
}

void Simulator::add_code(const std::string& code, const Grant& grant) {
  const Lock lock(mutex_);
  credentials_.add_code(code, grant);
}

}  // namespace simulator
