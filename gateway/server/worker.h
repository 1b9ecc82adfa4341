// One worker thread: Pistache's reactor calls onReady, and everything below runs on that thread but post(). Owns its
// connections, the user's handler, the deadlines, and the buffers that its connections use in turn.
#pragma once

#include <pistache/reactor.h>

#include <array>
#include <atomic>
#include <ctime>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/server/connection.h"
#include "gateway/server/deadlines.h"
#include "gateway/server/head_parser.h"
#include "gateway/server/mailbox.h"
#include "gateway/server/output.h"
#include "gateway/server/server.h"

namespace gateway::server {

class Worker : public Pistache::Aio::Handler {
 public:
  // `open`: connections of the whole server; raised by the acceptor, lowered here.
  Worker(const Options& options, std::size_t index, std::unique_ptr<server::Handler> handler,
         std::atomic<std::size_t>& open);
  ~Worker() override;

  // Pistache's side.
  void onReady(const Pistache::Aio::FdSet& events) override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  std::shared_ptr<Pistache::Aio::Handler> clone() const override;  // throws: one worker, one thread

  void post(Mailbox::Task task) { mailbox_->post(std::move(task)); }  // any thread

  void adopt(int fd, bool over_limit);  // takes the descriptor
  void drain(std::promise<void> done);  // resolved when the last connection ended
  void close_all();
  bool draining() const { return drained_.has_value(); }

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
  std::atomic<std::size_t>& open_;
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
  std::size_t live_ = 0;
  std::optional<std::promise<void>> drained_;
};

}  // namespace gateway::server
