// One worker thread: Pistache's reactor calls onReady, and everything below runs on that thread but post(). Owns its
// connections, the user's handler, the deadlines, and the buffers that its connections use in turn.
#pragma once

#include <pistache/reactor.h>

#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/server/connection.h"
#include "gateway/server/deadlines.h"
#include "gateway/server/head_parser.h"
#include "gateway/server/mailbox.h"
#include "gateway/server/open_count.h"
#include "gateway/server/output.h"
#include "gateway/server/server.h"

namespace gateway::server {

// A connection on its way to its worker.
struct Arrival {
  int fd = -1;
  std::shared_ptr<TlsSession> tls{};  // after its handshake
  const Refusal* refusal = nullptr;   // what it is answered before it is closed
  bool linger = false;                // it was answered already, by a TLS alert
};

class Worker : public Pistache::Aio::Handler {
 public:
  // `open`: connections of the whole server; raised when they are accepted, lowered here.
  Worker(const Options& options, std::size_t index, std::unique_ptr<server::Handler> handler, OpenCount& open);
  ~Worker() override;

  // Pistache's side.
  void onReady(const Pistache::Aio::FdSet& events) override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  std::shared_ptr<Pistache::Aio::Handler> clone() const override;  // throws: one worker, one thread

  void post(Mailbox::Task task) { mailbox_->post(std::move(task)); }  // any thread

  void adopt(Arrival arrival);  // takes the descriptor
  // Answers say so from now on. Idle connections get `idle` for one more request.
  void drain(std::chrono::milliseconds idle);
  void close_all();
  bool draining() const { return draining_; }

  // Runs `act` on the connection if it still lives, and settles it.
  template <typename Act>
  void with(std::uint64_t id, Act act) {
    if (Connection* connection = find(id)) {
      act(*connection);
      settle(*connection);
    }
  }

  // For connections.
  void watch(Connection& connection, bool writable);
  server::Handler& handler() { return *handler_; }
  const Options& options() const { return options_; }
  const Limits& limits() const { return options_.limits; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  std::size_t index() const { return index_; }
  Deadlines& deadlines() { return deadlines_; }
  Clock::time_point now() const { return now_; }
  std::string_view date();
  Head& head() { return head_; }
  Output& scratch() { return scratch_; }
  std::array<char, 16 * 1024>& read_buffer() { return read_buffer_; }

 private:
  Connection* find(std::uint64_t id);
  void settle(Connection& connection);
  void remove(Connection& connection);
  void on_timer();
  void arm_timer();

  const Options& options_;
  const std::size_t index_;
  std::unique_ptr<server::Handler> handler_;
  OpenCount& open_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  int timer_ = -1;
  std::optional<Clock::time_point> armed_;
  Clock::time_point now_ = Clock::now();
  std::time_t date_second_ = 0;
  std::string date_;
  Head head_;
  Output scratch_;
  std::array<char, 16 * 1024> read_buffer_{};
  Deadlines deadlines_;
  // A connection's id is its place here and a number never used twice, so that an id of the past finds nothing.
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::size_t> free_places_;
  std::uint64_t next_serial_ = 1;
  bool draining_ = false;
};

}  // namespace gateway::server
