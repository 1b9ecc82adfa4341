// One client's connection, from accept to close, on its worker's thread. Reads requests one at a time, hands them to
// the handler, writes the answers in order.
//   Reading -> Answering -> (Streaming) -> Reading …            keep-alive
//                                       -> Closing -> Lingering -> Closed
// Closing sends what is left; Lingering has shut the sending side and reads what the client still sends, for a bounded
// time, so that it gets the answer and not a reset.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/server/answer_head.h"
#include "gateway/server/deadlines.h"
#include "gateway/server/output.h"
#include "gateway/server/reply.h"
#include "gateway/server/request_reader.h"
#include "gateway/server/tls.h"

namespace gateway::server {

class Worker;
struct Flow;

struct Readiness {
  bool readable = false;
  bool writable = false;
  bool shut_down = false;  // the client will send no more
  bool hung_up = false;    // both directions are gone
};

class Connection : public Waiter {
 public:
  // `tls`: after its handshake; null where the bytes travel as they are.
  Connection(Worker& worker, int fd, std::uint64_t id, std::shared_ptr<TlsSession> tls);
  ~Connection();

  std::uint64_t id() const { return id_; }
  int fd() const { return fd_; }
  bool closed() const { return phase_ == Phase::Closed; }

  void on_ready(Readiness ready);
  void on_deadline(Wait wait);
  void on_drain_begin();
  void refuse(const Refusal& refusal);
  void linger();  // its answer was given elsewhere: only to be read until it closes
  void lose();    // the client is gone, or is cut off
  void cut();     // the handler wants it ended: its client must see that the answer is not whole
  void settle();  // after anything happened: go on with what can go on, send, and set the deadline

  // Answers; `request` must be the current one (see awaits).
  bool awaits(std::uint64_t request) const { return request == sequence_ && answering(); }
  void send(Response response);
  void send_prepared(std::string_view head, std::string_view extra, std::string_view body);
  void send_prepared(std::string_view head, std::string_view extra, std::shared_ptr<const std::string> body);
  void start(Response head, std::shared_ptr<Flow> flow);
  void write(std::string_view chunk);
  void end();
  void abandon();  // the handler dropped its Reply
  void set_on_drain(std::function<void()> callback);
  void set_on_hang_up(std::function<void()> callback) { on_hang_up_ = std::move(callback); }

  std::shared_ptr<void>& slot() { return slot_; }
  std::string_view peer();
  static Connection* current();  // whose on_request this thread is inside of

 private:
  enum class Phase { Reading, Answering, Streaming, Closing, Lingering, Closed };

  bool answering() const { return phase_ == Phase::Answering || phase_ == Phase::Streaming; }
  Output& output();

  bool can_go_on() const;
  void end_turn();
  void read();
  void discard();
  long receive();
  long receive_tls();
  void end_output();
  void on_end_of_input();
  void consume(std::string_view fresh);
  void dispatch();
  void flush();
  void account_flow();
  void finish_answer();
  std::string_view connection_option(bool close);
  void append_prepared(std::string_view head, std::string_view extra);
  void half_closed();
  void notify_hang_up();
  void update_deadline();
  Wait current_wait() const;

  Worker& worker_;
  const int fd_;
  const std::uint64_t id_;
  const std::shared_ptr<TlsSession> tls_;
  Phase phase_ = Phase::Reading;
  bool readable_ = false;   // the kernel may hold more to read
  bool peer_shut_ = false;  // the client said it sends no more
  bool end_of_input_ = false;
  bool starved_ = true;     // the buffered input holds no whole request
  bool turn_over_ = false;  // it read much at once; others come first
  bool watching_write_ = false;
  bool restart_wait_ = true;  // a request was begun or bytes were sent since the deadline was set
  bool hung_up_ = false;      // on_hang_up was due for the current request

  bool keep_alive_ = true;  // of the current request, as are the following
  bool head_only_ = false;
  int minor_version_ = 1;
  std::uint64_t sequence_ = 0;
  Delimiter stream_;  // how the streamed answer is delimited
  std::size_t stream_left_ = 0;

  RequestReader reader_;
  std::string input_;                // received, not yet consumed
  std::unique_ptr<Output> pending_;  // what the kernel did not take; null: nothing waits
  std::shared_ptr<Flow> flow_;
  std::size_t flow_queued_ = 0;  // bytes of the flow in the output
  std::function<void()> on_drain_;
  std::function<void()> on_hang_up_;
  std::shared_ptr<void> slot_;
  std::string peer_;
};

}  // namespace gateway::server
