// What the copies of one Reply share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "gateway/server/mailbox.h"
#include "gateway/server/reply.h"

namespace gateway::server {

// The account of a streamed answer, shared by the writer and the connection.
struct Flow {
  explicit Flow(std::size_t limit) : cap(limit) {}
  const std::size_t cap;
  std::atomic<std::size_t> unsent{0};  // bytes given to write() and not yet taken by the kernel
  std::atomic<bool> held{false};       // write() answered false and on_drain was not called since
  std::atomic<bool> gone{false};       // the connection is no more
};

struct Reply::State {
  State(std::shared_ptr<Mailbox> to, Connection* of, std::uint64_t id, std::uint64_t request, std::size_t index,
        std::size_t cap)
      : mailbox(std::move(to)), owner(of), connection_id(id), sequence(request), worker(index), unsent_cap(cap) {}
  ~State();  // no copy is left: an unanswered request gets its 500
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // The connection, if this thread is inside on_request for this very request.
  Connection* direct() const;
  // Does `act` to the connection, now or by its worker's mailbox, if it still lives and still waits for this answer.
  template <typename Act>
  void apply(Act act);

  const std::shared_ptr<Mailbox> mailbox;
  Connection* const owner;  // compared, never followed unless direct() says so
  const std::uint64_t connection_id;
  const std::uint64_t sequence;
  const std::size_t worker;
  const std::size_t unsent_cap;
  std::atomic<bool> answered{false};   // an answer was given, or begun
  std::atomic<bool> streaming{false};  // begun and not ended
  std::shared_ptr<Flow> flow;          // set by start()
};

}  // namespace gateway::server
