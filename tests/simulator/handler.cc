#include "tests/simulator/handler.h"

#include <algorithm>
#include <optional>

namespace simulator {

namespace {

using gateway::server::Reply;
using gateway::server::Response;

constexpr std::size_t kPieces = 10;

Call to_call(const gateway::server::RequestView& request) {
  Call call;
  call.method = request.method;
  call.path = request.path;
  call.query = request.query;
  call.body = request.body;
  const std::pair<std::string_view, std::string*> wanted[] = {
      {"authorization", &call.authorization}, {"version", &call.version},
      {"locationid", &call.location},         {"x-location-id", &call.location},
      {"x-simulator-fault", &call.fault},     {"idempotency-key", &call.idempotency_key},
      {"if-none-match", &call.if_none_match}, {"accept-language", &call.accept_language}};
  for (const auto& field : request.fields) {
    for (const auto& [name, into] : wanted) {
      if (policies::same_name(field.name, name)) *into = field.value;
    }
  }
  return call;
}

Response to_response(Answer answer) {
  Response response;
  response.status = answer.status;
  if (answer.status != 304) response.fields.add("Content-Type", "application/json; charset=utf-8");
  for (auto& [name, value] : answer.fields) response.fields.add(std::move(name), std::move(value));
  response.body = std::make_shared<const std::string>(std::move(answer.body));
  return response;
}

// The head promises 64 bytes more than come before the connection closes.
void send_wrong_length(const Reply& reply, Answer answer) {
  Response head = to_response(std::move(answer));
  const auto body = std::exchange(head.body, nullptr);
  head.fields.add("Content-Length", std::to_string(body->size() + 64));
  reply.start(std::move(head));
  reply.write(*body);
  reply.end();
}

}  // namespace

void Exchange::on_call(Call call, const Reply& reply) {
  if (call.path.starts_with("/_simulator/")) return reply.send(to_response(api_.control(call)));
  const Admission admission = api_.admit(call);
  if (admission.refusal) return reply.send(to_response(api_.refuse(call, admission)));
  switch (admission.fault.kind) {
    case FaultKind::Hang:
      return hang(reply);
    case FaultKind::ResetBefore:
      return reply.abort();
    case FaultKind::Garbage:  // only the worker may write bytes that are no answer: no latency here
      api_.perform(call, admission);
      return reply.send_prepared("\x01\x02 this is no HTTP answer\r\n", "", "");
    default:
      break;
  }
  const Delays wait = delays(admission.fault);
  if (wait.before.count() == 0 && wait.after.count() == 0)
    return deliver(admission.fault, take_effect(call, admission), reply);
  auto waiting = std::make_shared<const std::pair<Call, Admission>>(std::move(call), admission);
  timer_.after(wait.before, [this, waiting, reply, after = wait.after] {
    auto answer = std::make_shared<Answer>(take_effect(waiting->first, waiting->second));
    timer_.after(after, [this, waiting, answer, reply] { deliver(waiting->second.fault, std::move(*answer), reply); });
  });
}

// The moment of effect lies anywhere between arrival and answer: what a read sees and a write changes is not known to
// the client.
Exchange::Delays Exchange::delays(const Fault& fault) {
  std::chrono::microseconds total = fault.kind == FaultKind::Latency ? fault.pause : std::chrono::milliseconds(0);
  if (latency_.most.count() == 0 && total.count() == 0) return {};
  const Lock lock(mutex_);
  const std::chrono::microseconds least = latency_.least, most = latency_.most;
  total += least + std::chrono::microseconds(random_.below(static_cast<std::uint64_t>((most - least).count() + 1)));
  const std::chrono::microseconds before(random_.below(static_cast<std::uint64_t>(total.count() + 1)));
  return {before, total - before};
}

Answer Exchange::take_effect(const Call& call, const Admission& admission) {
  if (admission.fault.kind != FaultKind::Status) return api_.perform(call, admission);
  if (admission.fault.applied) api_.perform(call, admission);
  return api_.refuse(call, admission);
}

void Exchange::deliver(const Fault& fault, Answer answer, const Reply& reply) {
  switch (fault.kind) {
    case FaultKind::ResetAfter:
      return reply.abort();
    case FaultKind::WrongLength:
      return send_wrong_length(reply, std::move(answer));
    case FaultKind::SlowBody:
      return slow_body(reply, std::move(answer), fault.pause);
    default:
      return reply.send(to_response(std::move(answer)));
  }
}

// Neither setting the callback nor dropping a reply may happen under the lock: both may call back at once.
void Exchange::hang(const Reply& reply) {
  std::uint64_t id = 0;
  {
    const Lock lock(mutex_);
    id = next_hanging_++;
    hanging_.emplace(id, reply);
  }
  reply.on_hang_up([this, id] {
    std::optional<Reply> gone;
    const Lock lock(mutex_);
    if (const auto found = hanging_.find(id); found != hanging_.end()) {
      gone = found->second;
      hanging_.erase(found);
    }
  });
}

void Exchange::slow_body(const Reply& reply, Answer answer, std::chrono::milliseconds pause) {
  Response head = to_response(std::move(answer));
  const auto body = std::exchange(head.body, nullptr);
  head.fields.add("Content-Length", std::to_string(body->size()));
  reply.start(std::move(head));
  next_piece(reply, body, 0, pause);
}

void Exchange::next_piece(Reply reply, std::shared_ptr<const std::string> body, std::size_t sent,
                          std::chrono::milliseconds pause) {
  if (sent >= body->size()) return reply.end();
  const std::size_t piece = std::min(body->size() / kPieces + 1, body->size() - sent);
  reply.write(body->substr(sent, piece));
  timer_.after(pause, [this, reply, body, next = sent + piece, pause] { next_piece(reply, body, next, pause); });
}

void ApiHandler::on_request(const gateway::server::RequestView& request, Reply reply) {
  exchange_.on_call(to_call(request), reply);
}

}  // namespace simulator
