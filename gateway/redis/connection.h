// One connection to one address: commands in, replies out in their order, until it closes; never reopened. One
// io_context thread. Held by shared_ptr: dropping the last one closes it. Whatever ends it, every command outstanding
// is answered ConnectionLost. Answers are posted; only Call::take runs inside hiredis' callbacks, where the reply lies.
#pragma once

#include <asio/cancellation_type.hpp>
#include <asio/ip/tcp.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "gateway/redis/asio_adapter.h"
#include "gateway/redis/client.h"
#include "gateway/redis/event.h"
#include "gateway/redis/reply_guard.h"

namespace gateway::redis {

struct ConnectionLimits {
  std::chrono::milliseconds stall{
      1'000};  // commands outstanding and no reply: close; and the pace of a subscription's sign of life
  std::size_t max_reply_bytes = 64 << 20;
  std::size_t max_unsent_bytes = 64 << 20;
  std::chrono::milliseconds silence{50};  // commands outstanding and not a byte for so long: silent()
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Arguments = std::vector<std::string>;
  // Called with two empty views once all channels are confirmed.
  using OnMessage = std::function<void(std::string_view channel, std::string_view message)>;

  // Begins to connect; the address is numeric, so hiredis resolves nothing.
  static std::shared_ptr<Connection> open(asio::io_context& io, const asio::ip::tcp::endpoint& address,
                                          ConnectionLimits limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // True when it is connected by `deadline`.
  static asio::awaitable<bool> opened(std::shared_ptr<Connection> self, Clock::time_point deadline);
  // Until it is closed, by whomever.
  static asio::awaitable<void> closed(std::shared_ptr<Connection> self);
  static asio::awaitable<Result> call(std::shared_ptr<Connection> self, Words command, Clock::time_point deadline);
  void ask(const Words& words, std::shared_ptr<Call> call, Clock::time_point deadline);

  // After this the connection takes no commands.
  void subscribe(std::vector<std::string> channels, OnMessage on_message);

  void close(std::string reason);
  const std::string& error() const { return error_; }  // why it closed
  // A command ran into its time limit, and by then nothing had been heard for so long; until the next byte. It is found
  // out by the timer, which runs after what has arrived was read: that this process stood still is no silence.
  bool silent() const { return silent_; }

 private:
  struct Pending;
  using Deadlines = std::multimap<Clock::time_point, std::shared_ptr<Pending>>;

  Connection(asio::io_context& io, ConnectionLimits limits);
  void start(const asio::ip::tcp::endpoint& address);
  void note_open();
  void note_closed();

  bool submit(const std::shared_ptr<Pending>& pending, const Words& commands);
  bool has_room(Pending& pending);
  void sent(std::shared_ptr<Pending> pending);
  void give_up_on_cancel(const std::shared_ptr<Pending>& pending);
  static void answered(redisAsyncContext* context, void* reply, void*) noexcept;
  void on_reply(const redisReply* reply);
  void finish(Pending& pending, Result result, bool clear_slot = true);
  void arm_deadline();
  void expire();

  void send_subscribe(const std::vector<std::string>& channels);
  void on_push(const redisReply& reply);
  void arm_watch(Clock::time_point at);
  void watch();

  asio::io_context& io_;
  ConnectionLimits limits_;
  redisAsyncContext* context_ = nullptr;
  std::unique_ptr<ReplyGuard> guard_;
  std::unique_ptr<AsioAdapter> adapter_;
  bool open_ = false;
  std::string error_;
  Event changed_;

  std::deque<std::shared_ptr<Pending>>
      queue_;            // in the order of hiredis' own queue; answered ones wait for their late reply
  Deadlines deadlines_;  // of those not yet answered
  // Calls that are over and not yet told so. It outlives the connection where that ends in between.
  struct Ended;
  std::shared_ptr<Ended> ended_;
  asio::steady_timer deadline_timer_;
  Clock::time_point armed_for_ = Clock::time_point::max();

  asio::steady_timer watch_timer_;
  bool watching_ = false;
  Clock::time_point last_reply_;  // or when the first of those outstanding was sent
  Clock::time_point heard_;       // the same for bytes of any kind
  bool silent_ = false;
  bool replied_ = false;  // in the read that goes on

  std::vector<std::string> channels_;
  std::size_t confirmed_ = 0;
  OnMessage on_message_;
};

}  // namespace gateway::redis
