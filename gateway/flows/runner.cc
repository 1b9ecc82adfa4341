#include "gateway/flows/runner.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "gateway/exchange/refusal.h"
#include "gateway/fault_point.h"
#include "gateway/flows/known.h"
#include "gateway/flows/prepare.h"
#include "gateway/log/log.h"
#include "gateway/random.h"

namespace gateway::flows {

using policies::flows::Array;
using policies::flows::Flow;
using policies::flows::Json;
using policies::flows::MappingError;
using policies::flows::Object;
using policies::flows::Repeat;
using policies::flows::Step;
using policies::flows::Verdict;

namespace {

constexpr std::size_t kLargestAnswer = 1 << 20;
constexpr std::size_t kLongestDetail = 500;
constexpr std::chrono::milliseconds kAskAgain{200};
constexpr const char* kStrays =
    "is not the location that the lead was taken for, and its client may use some locations only";

Json parsed(const std::string& body) {
  auto json = policies::flows::parse_json(body, true);
  if (auto* value = std::get_if<Json>(&json)) return std::move(*value);
  return Json();
}

Json& member(Json& json, std::string_view name) {
  auto& members = std::get<Object>(json.value);
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == name; });
  if (found != members.end()) return found->second;
  return members.emplace_back(std::string(name), Json()).second;
}

}  // namespace

struct Runner::Progress {
  LeasePtr lease;
  Run run;
  std::shared_ptr<const Flows> flows;  // keeps `flow`
  const Flow* flow = nullptr;
  Json known;
};

struct Runner::Prepared {
  const Step* step = nullptr;
  std::string key;  // the step's name, with its item's number behind "each"
  std::string ref;
  StepRequest request;
};

template <typename Change>
asio::awaitable<bool> Runner::insist(LeasePtr lease, Change change) {
  for (;;) {
    const Kept kept = co_await change();
    if (kept == Kept::Yes) co_return true;
    if (kept == Kept::Lost) lease->lost = true;
    if (!lease->holds()) {
      // Whoever claims the entry goes on from what is noted.
      log::warn("flow_run_left", {{"run", std::string_view(lease->taken.run)}});
      co_return false;
    }
    asio::steady_timer pause(parts_.io, kAskAgain);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> Runner::run(LeasePtr lease) {
  auto loaded = co_await parts_.store.load(lease->taken.run);
  if (const auto* missing = std::get_if<Kept>(&loaded)) {
    if (*missing == Kept::Lost) co_await parts_.store.finish(lease->taken);  // an entry whose run is not there
    co_return;
  }
  const auto progress = std::make_shared<Progress>();
  progress->lease = lease;
  progress->run = std::get<Run>(std::move(loaded));
  progress->flows = parts_.flows;
  for (const auto& flow : *progress->flows)
    if (flow.name == progress->run.flow) progress->flow = &flow;
  // One that brings down every replica that takes it must not bring them down for ever.
  constexpr std::int64_t kMostClaims = 25;
  if (lease->claimed && co_await parts_.store.count_claim(progress->run.id) > kMostClaims)
    co_return co_await dead(progress, {"", "", "25 replicas did not end it", ""});
  if (progress->flow == nullptr) {
    // Another replica may have newer flows than this one.
    constexpr std::chrono::milliseconds kRollOut{30'000};
    co_return co_await later(progress, {kRollOut, false, "", "", "no flow of this name here"}, Verdict::Wait);
  }
  progress->known = known_of(progress->run.id, progress->run.event, parsed(progress->run.event.body));
  if (const auto wrong = locate(*progress)) co_return co_await dead(progress, *wrong);
  if (co_await make_steps(progress)) co_await finish(progress);
}

std::optional<DeadReason> Runner::locate(Progress& progress) {
  if (!progress.flow->location) return std::nullopt;
  auto& event = progress.run.event;
  auto located = progress.flow->location.evaluate(progress.known);
  if (const auto* error = std::get_if<MappingError>(&located)) return DeadReason{"", error->field, error->what, ""};
  const auto* value = std::get_if<std::optional<Json>>(&located);
  if (const auto* text = value && *value ? (*value)->as<std::string>() : nullptr) {
    if (event.proves && *text != event.location) return DeadReason{"", "location", kStrays, ""};
    event.location = *text;
  }
  member(member(progress.known, "run"), "location") = Json(event.location);
  return std::nullopt;
}

asio::awaitable<bool> Runner::make_steps(ProgressPtr progress) {
  for (std::size_t index = 0; index < progress->flow->steps.size(); ++index) {
    const Step& step = progress->flow->steps[index];
    std::size_t items = 1;
    if (step.each) {
      const auto* list = step.each->in(progress->known);
      const auto* elements = list != nullptr ? list->as<Array>() : nullptr;
      items = elements != nullptr ? elements->size() : 0;
    }
    if (items > policies::flows::kMostItems) {
      co_await dead(progress, {step.name, "each", "has more than 1000 elements", ""});
      co_return false;
    }
    for (std::size_t item = 0; item < items; ++item)
      if (!co_await this->step(progress, index, item)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Runner::step(ProgressPtr progress, std::size_t index, std::size_t item) {
  const Step& step = progress->flow->steps[index];
  auto prepared = std::make_shared<Prepared>();
  prepared->step = &step;
  prepared->key = step.each ? step.name + "-" + std::to_string(item) : step.name;
  prepared->ref = step_ref(progress->run.id, prepared->key);
  auto& run = progress->run;
  if (step.each) member(progress->known, "item") = (*step.each->in(progress->known)->as<Array>())[item];
  const auto noted = run.steps.find(prepared->key);
  const bool sent = noted != run.steps.end() && noted->second == kSent;
  const bool settled = noted != run.steps.end() && noted->second == kSettled;
  if (noted != run.steps.end() && !sent && !settled) {
    member(member(progress->known, "steps"), step.name) = parsed(noted->second);
    co_return true;
  }
  if (!step.when.holds(progress->known)) co_return true;
  auto filled = prepare(step, progress->known, run.event.location, prepared->ref);
  if (std::holds_alternative<NotNeeded>(filled)) co_return true;
  if (auto* error = std::get_if<MappingError>(&filled)) {
    co_await dead(progress, {prepared->key, std::move(error->field), std::move(error->what), ""});
    co_return false;
  }
  prepared->request = std::get<StepRequest>(std::move(filled));
  if (run.event.proves && prepared->request.location != run.event.location) {
    co_await dead(progress, {prepared->key, "location", kStrays, ""});
    co_return false;
  }
  if (step.repeat != Repeat::Safe && !co_await ask_first(progress, prepared)) co_return false;
  if (run.steps.contains(prepared->key) && run.steps[prepared->key] != kSent && run.steps[prepared->key] != kSettled) {
    co_return true;  // it was found to be done
  }
  if (!progress->lease->holds() || stopping_) co_return false;
  auto response = co_await parts_.calls.run(call_of(progress, *prepared));
  fault_point("flow-step-answered");
  progress->lease->sending = false;
  co_return co_await judge(progress, prepared, std::move(response));
}

// Of a step that must not be made twice. The order:
//   1. nothing is noted: "?" is noted, then it is sent. Whoever finds "?" knows that it may have been;
//   2. "?": nobody knows. After another upstream.timeout nothing of it is under way any more, and "?" becomes "!";
//   3. "!": what is marked is looked for; found, it is done. Not found, as 1.
asio::awaitable<bool> Runner::ask_first(ProgressPtr progress, std::shared_ptr<Prepared> prepared) {
  auto& noted = progress->run.steps[prepared->key];
  const Step& step = *prepared->step;
  if (noted == kSent) {
    if (step.repeat == Repeat::Unsure) {
      co_await dead(progress, {prepared->key, "", "may have been applied, and is not safe to repeat", ""});
    } else {
      co_await later(progress, {parts_.upstream_timeout, true, prepared->key, std::string(kSettled), "in doubt"},
                     Verdict::Doubt);
    }
    co_return false;
  }
  if (noted == kSettled && step.repeat == Repeat::Marked)
    if (const auto goes_on = co_await look_for_mark(progress, prepared)) co_return *goes_on;
  noted = kSent;
  const LeasePtr lease = progress->lease;
  co_return co_await insist(
      lease, [this, lease, prepared] { return parts_.store.note(lease->taken, prepared->key, std::string(kSent)); });
}

asio::awaitable<std::optional<bool>> Runner::look_for_mark(ProgressPtr progress, std::shared_ptr<Prepared> prepared) {
  const Step& step = *prepared->step;
  const auto& marking = *policies::flows::marking_of(*step.operation);
  const auto* list = policies::Catalogue::builtin().find(marking.list);
  auto target = target_of(*list, step, progress->known);
  exchange::Call call = call_of(progress, *prepared);
  call.method = "GET";
  call.body.clear();
  call.fields = {{"Cache-Control", "no-store"}};
  call.target = std::get<std::string>(std::move(target));
  const auto response = co_await parts_.calls.run(std::move(call));
  if (response.status != 200) {
    co_await later(progress,
                   {policies::flows::backoff(progress->run.tries + 1, random_unit()), true, prepared->key,
                    std::string(kSettled), "could not be looked for: " + std::to_string(response.status)},
                   Verdict::Again);
    co_return false;
  }
  const auto answer = parsed(response.body ? *response.body : "");
  const auto* found = find_marked(answer, marking, prepared->ref);
  if (found == nullptr) co_return std::nullopt;
  log::info("flow_step_found",
            {{"flow", std::string_view(progress->flow->name)}, {"step", std::string_view(prepared->key)}});
  Json made(Object{{std::string(marking.one), *found}});
  co_return co_await done(progress, prepared, policies::flows::to_text(made));
}

// A POST's Idempotency-Key lets whoever goes on after a crash learn the answer. An attempt after one that surely was
// not applied has another key: what is kept about the first is about another request by then.
exchange::Call Runner::call_of(const ProgressPtr& progress, const Prepared& prepared) const {
  exchange::Call call;
  const Step& step = *prepared.step;
  call.method = step.operation->method;
  call.target = prepared.request.target;
  call.body = prepared.request.body;
  call.location = prepared.request.location;
  call.proves = progress->run.event.proves;
  call.id = "flow-" + progress->run.id.substr(0, 12) + "-" + prepared.key;
  if (!step.version.empty()) call.fields.add("Version", step.version);
  if (!call.body.empty()) call.fields.add("Content-Type", "application/json");
  if (call.method == "POST" && step.operation->kind == policies::Kind::Write)
    call.fields.add("Idempotency-Key", "cg-" + progress->run.id + "-" + prepared.key + "-" +
                                           std::to_string(progress->run.round) + "." +
                                           std::to_string(progress->run.tries));
  call.may_send = [lease = progress->lease] { return lease->sending = lease->holds(); };
  return call;
}

asio::awaitable<bool> Runner::judge(ProgressPtr progress, std::shared_ptr<Prepared> prepared,
                                    server::Response response) {
  const Step& step = *prepared->step;
  if (!progress->lease->holds()) co_return false;  // whatever came of it, another replica finds out
  const std::string refusal(exchange::refusal_type(response));
  const auto verdict = policies::flows::judge({response.status, refusal, step.repeat}, step.accept);
  std::string body = response.body ? *response.body : "";
  if (verdict == Verdict::Done) {
    if (body.size() <= kLargestAnswer) co_return co_await done(progress, prepared, std::move(body));
    co_await dead(progress, {prepared->key, "", "the answer is larger than 1 MiB", ""});
    co_return false;
  }
  const std::string reason =
      refusal.empty() ? "upstream answered " + std::to_string(response.status) : "not sent or not answered: " + refusal;
  log::warn("flow_step_failed", {{"flow", std::string_view(progress->flow->name)},
                                 {"step", std::string_view(prepared->key)},
                                 {"run", std::string_view(progress->run.id)},
                                 {"status", std::int64_t{response.status}},
                                 {"verdict", to_string(verdict)}});
  const int tries = progress->run.tries + 1;
  const bool unsure = verdict == Verdict::Doubt && step.repeat == Repeat::Unsure;
  const bool spent = verdict != Verdict::Wait && tries >= progress->flow->attempts;
  if (verdict == Verdict::Dead || unsure || spent) {
    co_await dead(progress, {prepared->key, "", reason + (unsure ? "; it may have been applied" : ""),
                             body.substr(0, kLongestDetail)});
    co_return false;
  }
  Store::Park how{policies::flows::backoff(tries, random_unit()), verdict != Verdict::Wait, prepared->key, "", reason};
  if (verdict == Verdict::Doubt && step.repeat == Repeat::Marked) {
    how.delay = std::max(how.delay, parts_.upstream_timeout);
    how.value = kSettled;
  }
  co_await later(progress, std::move(how), verdict);
  co_return false;
}

asio::awaitable<bool> Runner::done(ProgressPtr progress, std::shared_ptr<Prepared> prepared, std::string answer) {
  if (answer.empty() || answer == kSent || answer == kSettled) answer = "null";
  member(member(progress->known, "steps"), prepared->step->name) = parsed(answer);
  progress->run.steps[prepared->key] = answer;
  const LeasePtr lease = progress->lease;
  const bool kept = co_await insist(
      lease, [this, lease, prepared, answer] { return parts_.store.note(lease->taken, prepared->key, answer); });
  fault_point("flow-step-noted");
  co_return kept;
}

asio::awaitable<void> Runner::later(ProgressPtr progress, Store::Park how, Verdict verdict) {
  const LeasePtr lease = progress->lease;
  if (co_await insist(lease, [this, lease, how] { return parts_.store.park(lease->taken, how); }))
    parts_.metrics.flow_run(progress->run.flow, verdict == Verdict::Wait ? "waiting" : "retried");
}

asio::awaitable<void> Runner::dead(ProgressPtr progress, DeadReason why) {
  const LeasePtr lease = progress->lease;
  log::error("flow_dead_letter", {{"flow", std::string_view(progress->run.flow)},
                                  {"run", std::string_view(progress->run.id)},
                                  {"step", std::string_view(why.step)},
                                  {"field", std::string_view(why.field)},
                                  {"reason", std::string_view(why.reason)}});
  if (co_await insist(lease, [this, lease, why] { return parts_.store.bury(lease->taken, why); }))
    parts_.metrics.flow_run(progress->run.flow, "dead");
}

asio::awaitable<void> Runner::finish(ProgressPtr progress) {
  const LeasePtr lease = progress->lease;
  if (co_await insist(lease, [this, lease] { return parts_.store.finish(lease->taken); }))
    parts_.metrics.flow_run(progress->run.flow, "done");
}

}  // namespace gateway::flows
