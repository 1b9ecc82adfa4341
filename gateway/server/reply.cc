#include "gateway/server/reply.h"

#include <stdexcept>
#include <utility>

#include "gateway/server/connection.h"
#include "gateway/server/reply_state.h"
#include "gateway/server/worker.h"

namespace gateway::server {

Reply::Reply(std::shared_ptr<State> state) : state_(std::move(state)) {}

Connection* Reply::State::direct() const {
  Connection* current = Connection::current();
  return current == owner && current && current->id() == connection_id && current->awaits(sequence) ? current : nullptr;
}

template <typename Act>
void Reply::State::apply(Act act) {
  if (Connection* here = direct()) return act(*here);
  mailbox->post([id = connection_id, request = sequence, act = std::move(act)](Worker& target) mutable {
    target.with(id, [&](Connection& there) {
      if (there.awaits(request)) act(there);
    });
  });
}

Reply::State::~State() {
  if (answered.load(std::memory_order_relaxed) && !streaming.load(std::memory_order_relaxed)) return;
  apply([](Connection& connection) { connection.abandon(); });
}

void Reply::send(Response response) const {
  if (state_->answered.exchange(true)) return;
  state_->apply(
      [response = std::move(response)](Connection& connection) mutable { connection.send(std::move(response)); });
}

template <typename Body>
void Reply::prepared(std::string_view head, std::string_view extra, Body body) const {
  Connection* here = state_->direct();
  if (!here) throw std::logic_error("send_prepared outside on_request");
  if (!state_->answered.exchange(true)) here->send_prepared(head, extra, std::move(body));
}

void Reply::send_prepared(std::string_view head, std::string_view extra, std::string_view body) const {
  prepared(head, extra, body);
}

void Reply::send_prepared(std::string_view head, std::string_view extra,
                          std::shared_ptr<const std::string> body) const {
  prepared(head, extra, std::move(body));
}

void Reply::send_prepared(std::shared_ptr<const void> owner, std::string_view head, std::string extra,
                          std::string_view body) const {
  if (state_->answered.exchange(true)) return;
  state_->apply([owner = std::move(owner), head, extra = std::move(extra), body](Connection& connection) {
    connection.send_prepared(head, extra, body);
  });
}

void Reply::start(Response head, std::size_t unsent_bytes) const {
  if (state_->answered.exchange(true)) return;
  state_->streaming = true;
  state_->flow = std::make_shared<Flow>(unsent_bytes == 0 ? state_->unsent_cap : unsent_bytes);
  if (head.body) state_->flow->unsent += head.body->size();
  state_->apply([head = std::move(head), flow = state_->flow](Connection& connection) mutable {
    connection.start(std::move(head), std::move(flow));
  });
}

// The order of the lines decides: `held` is set before the chunk is posted, so the worker that sends this chunk sees it
// and calls on_drain.
bool Reply::write(std::string chunk) const {
  if (!state_->streaming || state_->flow->gone) return false;
  auto& flow = *state_->flow;
  const bool more = flow.unsent.fetch_add(chunk.size()) + chunk.size() <= flow.cap;
  if (!more) flow.held = true;
  state_->apply([chunk = std::move(chunk)](Connection& connection) { connection.write(chunk); });
  return more;
}

void Reply::end() const {
  if (!state_->streaming.exchange(false)) return;
  state_->apply([](Connection& connection) { connection.end(); });
}

void Reply::abort() const {
  state_->answered = true;
  state_->streaming = false;
  state_->apply([](Connection& connection) { connection.cut(); });
}

void Reply::on_drain(std::function<void()> callback) const {
  state_->apply([callback = std::move(callback)](Connection& connection) mutable {
    connection.set_on_drain(std::move(callback));
  });
}

void Reply::on_hang_up(std::function<void()> callback) const {
  Connection* here = state_->direct();
  if (!here) throw std::logic_error("on_hang_up outside on_request");
  here->set_on_hang_up(std::move(callback));
}

std::shared_ptr<void>& Reply::connection_slot() const {
  Connection* here = Connection::current();
  if (!here) throw std::logic_error("connection_slot outside on_request");
  return here->slot();
}

std::string_view Reply::peer() const {
  Connection* here = Connection::current();
  if (!here) throw std::logic_error("peer outside on_request");
  return here->peer();
}

std::size_t Reply::worker() const { return state_->worker; }

}  // namespace gateway::server
