#include "gateway/exchange/front.h"

#include <algorithm>
#include <charconv>

#include "gateway/exchange/answer.h"
#include "gateway/exchange/belonging.h"
#include "gateway/exchange/entry.h"
#include "gateway/exchange/exchange.h"
#include "gateway/exchange/via.h"
#include "gateway/random.h"
#include "gateway/webhooks/intake.h"
#include "policies/cache_key.h"
#include "policies/cache_status.h"
#include "policies/foreign_site.h"
#include "policies/location.h"
#include "policies/named_records.h"
#include "policies/passthrough.h"
#include "policies/percent.h"
#include "policies/priority.h"

namespace gateway::exchange {

using metrics::CacheResult;
using metrics::Tier;

struct Front::Seen {
  Seen(const server::RequestView& seen, server::Reply to) : view(seen), reply(std::move(to)) {}
  const server::RequestView& view;
  server::Reply reply;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::uint16_t client = 0;
  policies::Match match;
  std::string_view version;
  std::optional<policies::Location> where;
  std::string_view location;  // where's
  std::string_view id;
  policies::RequestCacheControl directives;
  bool keyed = false;   // key_ holds its cache key
  bool proves = false;  // its client may use some locations only, and the upstream would not say no to others' records
  std::size_t base_key = 0;
  tracing::TracePtr trace;
};

namespace {
// A client's own id is passed on where it is harmless in a log line and a field.
bool usable_id(std::string_view id) {
  if (id.empty() || id.size() > 128) return false;
  for (char c : id)
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\') return false;
  return true;
}

// Several Version fields go upstream as they came. Which of them it obeys is not known here, so the request has no
// cache key.
bool names_versions(policies::FieldsView fields) {
  return std::count_if(fields.begin(), fields.end(),
                       [](const auto& field) { return policies::same_name(field.name, "Version"); }) > 1;
}

// Begins the keys of answers that only a proven reader was given, so that no other client's are among them.
constexpr std::string_view kProven = "proven ";

void append_number(std::string& out, std::int64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}
}  // namespace

Front::Front(FrontParts parts)
    : parts_(std::move(parts)),
      memory_(parts_.memory),
      in_force_(parts_.in_force.get()),
      id_(random_hex(6) + '-'),
      id_prefix_(id_.size()),
      sampler_(parts_.tracer) {}

std::string_view Front::next_id() {
  id_.resize(id_prefix_);
  append_number(id_, static_cast<std::int64_t>(++ids_));
  return id_;
}

// Nothing in a refused request is trusted, so the id is always the gateway's own.
void Front::on_refused(server::Response& answer, std::string_view reason) {
  const auto id = next_id();
  answer.fields.add("X-Request-Id", std::string(id));
  parts_.reporter.finished({.method = "other",
                            .status = answer.status,
                            .id = id,
                            .refusal = reason,
                            .started = std::chrono::steady_clock::now()});
}

void Front::on_request(const server::RequestView& view, server::Reply reply) {
  parts_.in_force.refresh(in_force_);
  Seen seen(view, std::move(reply));
  const auto given = policies::find_field(view.fields, "X-Request-Id");
  seen.id = given && usable_id(*given) ? *given : next_id();

  seen.trace = sampler_.trace(view.fields);

  if (view.path == webhooks::kPath && !in_force_->webhook_keys->none()) {
    if (!has_memory(seen)) return;
    return parts_.webhooks.receive(in_force_->webhook_keys, in_force_->settings->webhooks.max_age, view,
                                   std::move(seen.reply), std::string(seen.id));
  }
  if (!welcome(seen)) return;
  if (!match(seen) || !locate(seen)) return;
  if (const auto* handler = parts_.own_paths.handler_of(*seen.match.operation)) {
    if (has_memory(seen)) hand_over_own(seen, *handler);
    return;
  }
  seen.version = policies::find_field(view.fields, "Version").value_or(in_force_->settings->upstream.version);

  if (may_be_cached(*seen.match.operation)) {
    seen.directives = policies::request_cache_control(view.fields);
    key_.clear();
    if (seen.proves) key_ += kProven;
    if (!seen.directives.no_store && !names_versions(view.fields) &&
        !policies::append_cache_key(key_, {seen.match, seen.location, seen.version, view.query, view.body})) {
      seen.keyed = true;
      seen.base_key = key_.size();
      if (const auto names = parts_.vary_names.of(seen.match.operation->index))
        key_ += policies::vary_key(*names, view.fields).value_or("");
      if (from_memory(seen)) return;
    }
  }
  if (was_here(view.fields)) return refuse(seen, Refusal::LoopDetected);
  if (has_memory(seen)) hand_over(seen, false);
}

bool Front::may_be_cached(const policies::Operation& operation) const {
  const auto& settings = *in_force_->settings;
  if (operation.kind == policies::Kind::Write || !settings.cache.enabled) return false;
  return settings.passthrough.cache_origin || !policies::is_passthrough(operation);
}

// False: refused, since server.memory_limit is reached. Hits from memory are not asked about: they are served all the
// same.
bool Front::has_memory(Seen& seen) {
  if (!parts_.memory_guard.refusing().load(std::memory_order_relaxed)) return true;
  parts_.memory_guard.count_refusal();
  refuse(seen, Refusal::MemoryLimit);
  return false;
}

// False: refused.
bool Front::match(Seen& seen) {
  const auto& view = seen.view;
  auto matched = parts_.catalogue.match(view.method, view.path);
  if (std::holds_alternative<policies::UnknownPath>(matched)) matched = parts_.own_paths.match(view.method, view.path);
  if (const auto* found = std::get_if<policies::Match>(&matched)) {
    seen.match = *found;
    return true;
  }
  const auto passed = in_force_->settings->passthrough.enabled && std::holds_alternative<policies::UnknownPath>(matched)
                          ? policies::passthrough_match(view.method, view.path)
                          : std::nullopt;
  if (passed) {
    seen.match = *passed;
    return true;
  }
  if (auto* wrong = std::get_if<policies::WrongMethod>(&matched))
    refuse(seen, Refusal::WrongMethod, {}, std::move(wrong->allow));
  else
    refuse(seen, Refusal::UnknownOperation);
  return false;
}

// Where the request belongs. False: refused.
bool Front::locate(Seen& seen) {
  const auto& view = seen.view;
  const access::Client* client = seen.client == 0 ? nullptr : &in_force_->clients.at(seen.client);
  policies::LocationInputs inputs;
  inputs.path = seen.match.parameter("locationId");
  inputs.query = view.query;
  inputs.parameter = seen.match.operation->location_parameter;
  inputs.fields = view.fields;
  inputs.body = view.body;
  inputs.credentials = in_force_->scope.own;
  inputs.several = in_force_->scope.several;
  if (client != nullptr) {
    inputs.client = client->location;
    inputs.restricted = client->rules.restricted();
  }
  auto located = policies::location_of(inputs);
  if (auto* problem = std::get_if<policies::LocationProblem>(&located)) {
    refuse(seen,
           problem->reason == policies::LocationProblem::Reason::Missing ? Refusal::LocationMissing
                                                                         : Refusal::LocationConflict,
           std::string(to_string(problem->reason)));
    return false;
  }
  seen.where.emplace(std::get<policies::Location>(std::move(located)));
  seen.location = seen.where->id();
  return client == nullptr || permit(seen, *client);
}

// Whether the client may do that there. False: refused.
bool Front::permit(Seen& seen, const access::Client& client) {
  const auto access = policies::access_of(client.rules, *seen.match.operation, seen.location);
  if (const auto* forbidden = std::get_if<policies::Forbidden>(&access)) {
    if (forbidden->reason == policies::Forbidden::Reason::Location && seen.location.empty())
      refuse(seen, Refusal::LocationMissing, std::string(to_string(policies::LocationProblem::Reason::Missing)));
    else
      refuse(seen, Refusal::Forbidden, std::string(to_string(forbidden->reason)));
    return false;
  }
  seen.proves = client.rules.restricted() && !in_force_->scope.binds(seen.location) &&
                policies::names_records(*seen.match.operation);
  return true;
}

// False: refused. Without client keys every program on the machine is served, but no browser that shows another site's
// page. No such page can reach a unix socket, and with TLS the browser has checked that the name is ours.
bool Front::welcome(Seen& seen) {
  if (!in_force_->clients.open()) {
    if (identify(seen)) return true;
    refuse(seen, Refusal::NoKey);
    return false;
  }
  const auto foreign = policies::foreign_site(seen.view.fields, seen.view.host);
  if (!foreign) return true;
  const auto& settings = *in_force_->settings;
  const bool name_is_ours = !settings.server.tls.certificate.empty() || seen.reply.peer() == "unix";
  if (*foreign == policies::ForeignSite::Host && name_is_ours) return true;
  refuse(seen, *foreign == policies::ForeignSite::Page ? Refusal::ForeignPage : Refusal::ForeignHost);
  return false;
}

// Who the request is from, remembered with its connection.
bool Front::identify(Seen& seen) {
  const auto key = access::bearer_key(seen.view.fields);
  auto& slot = seen.reply.connection_slot();
  if (const auto* known = static_cast<const access::Remembered*>(slot.get());
      known != nullptr && known->generation == in_force_->generation && known->is(key)) {
    seen.client = known->client;
    return true;
  }
  const auto client = in_force_->clients.identify(key);
  if (!client) return false;
  seen.client = *client;
  auto remembered = std::make_shared<access::Remembered>();
  remembered->key = key;
  remembered->client = *client;
  remembered->generation = in_force_->generation;
  slot = std::move(remembered);
  return true;
}

// True: the answer has left. The clock that the lease is held against is read here, so after the request was (fence.h).
bool Front::from_memory(Seen& seen) {
  const auto entry = memory_.find(key_);
  if (!entry) return false;
  const auto now = cache::boottime();
  if (!parts_.fence.held(now) || !entry->intact(parts_.fence)) return false;
  const auto decision = entry->decision(now, seen.directives);
  using policies::Action;
  if (decision.action != Action::ServeFresh && decision.action != Action::ServeStaleWhileRevalidate &&
      decision.action != Action::ServeStale)
    return false;
  const bool stale = decision.action != Action::ServeFresh;

  policies::CacheStatus status;
  status.hit = true;
  status.ttl = std::chrono::floor<std::chrono::seconds>(decision.ttl);
  if (stale) status.detail = policies::to_string(decision.action);
  extra_.clear();
  append_hit_fields(extra_, decision.age, seen.id, status);

  int code = entry->status();
  if (holds_already(seen.view.fields, *entry)) {
    code = 304;
    seen.reply.send_prepared(not_modified_head(*entry), extra_, std::string_view());
  } else if (entry->body().size() <= server::kCopiedBody) {
    seen.reply.send_prepared(entry->head(), extra_, entry->body());
  } else {
    seen.reply.send_prepared(entry->head(), extra_, cache::Entry::body_of(entry.shared()));
  }
  parts_.reporter.finished({.operation = seen.match.operation,
                            .method = seen.view.method,
                            .status = code,
                            .client = seen.client,
                            .location = seen.location,
                            .id = seen.id,
                            .result = stale ? CacheResult::Stale : CacheResult::Hit,
                            .tier = Tier::Memory,
                            .started = seen.started,
                            .trace = seen.trace.get()});
  if (decision.action == Action::ServeStaleWhileRevalidate) hand_over(seen, true);
  return true;
}

void Front::hand_over(Seen& seen, bool refresh) {
  const auto& view = seen.view;
  auto request = std::make_shared<Request>();
  request->reply = seen.reply;
  request->started = seen.started;
  request->id = seen.id;
  request->operation = seen.match.operation;
  request->method = view.method;
  request->target = view.target;
  request->path = view.path;
  request->fields = policies::Fields(view.fields);
  if (!view.body.empty()) request->body = std::make_shared<const std::string>(view.body);
  request->location = seen.location;
  request->version = seen.version;
  request->client = seen.client;
  if (seen.keyed) {
    request->key = key_;
    request->base_key = key_.substr(0, seen.base_key);
  }
  request->surrogate_keys = keys_of(in_force_->scope, seen.match, seen.location, view.query, view.body);
  if (seen.proves && seen.keyed) request->own_record = policies::read_of(*seen.match.operation);
  if (seen.proves && !request->own_record && !refresh) {
    auto records = policies::named_records(seen.match, view.query, view.body);
    if (!records)
      return refuse(seen, Refusal::Forbidden,
                    "The records that it names cannot be told, or are more than can be looked up.");
    request->to_prove = std::move(*records);
  }
  request->directives = seen.directives;
  request->trace = seen.trace;
  request->urgency = urgency_of(seen);
  request->wait = policies::preferred_wait(view.fields);
  if (refresh)
    parts_.exchange.refresh(std::move(request));
  else
    parts_.exchange.hand_over(std::move(request));
}

void Front::hand_over_own(Seen& seen, const OwnPaths::Handler& handler) {
  const auto& view = seen.view;
  auto request = std::make_shared<OwnRequest>(seen.reply);
  request->started = seen.started;
  request->id = seen.id;
  request->operation = seen.match.operation;
  request->method = view.method;
  for (std::size_t i = 0; i < seen.match.parameter_count; ++i) {
    const auto& [name, raw] = seen.match.parameters[i];
    policies::append_decoded(request->parameters.emplace_back(name, "").second, raw);
  }
  request->query = view.query;
  request->fields = policies::Fields(view.fields);
  request->body = view.body;
  request->location = seen.location;
  request->restricted = seen.client != 0 && in_force_->clients.at(seen.client).rules.restricted();
  request->proves = seen.proves;
  request->client = seen.client;
  request->urgency = urgency_of(seen);
  request->wait = policies::preferred_wait(view.fields);
  request->reporter = &parts_.reporter;
  request->trace = seen.trace;
  handler(std::move(request));
}

int Front::urgency_of(const Seen& seen) const {
  const int asked = policies::priority_of(seen.view.fields).urgency;
  return seen.client == 0 ? asked : policies::granted_urgency(in_force_->clients.at(seen.client).rules, asked);
}

void Front::refuse(Seen& seen, Refusal refusal, std::string detail, std::string allow) {
  auto response = to_response(refusal, std::move(detail));
  if (!allow.empty()) response.fields.add("Allow", std::move(allow));
  response.fields.add("X-Request-Id", std::string(seen.id));
  seen.reply.send(std::move(response));
  parts_.reporter.finished({.operation = seen.match.operation,
                            .method = seen.view.method,
                            .status = status_of(refusal),
                            .client = seen.client,
                            .location = seen.location,
                            .id = seen.id,
                            .refusal = to_string(refusal),
                            .started = seen.started,
                            .trace = seen.trace.get()});
}

}  // namespace gateway::exchange
