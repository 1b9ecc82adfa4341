// Reading: from readiness to requests handed to the handler, and the end of the connection. Answers:
// connection_answer.cc.
#include "gateway/server/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "gateway/server/problem.h"
#include "gateway/server/reply_state.h"
#include "gateway/server/worker.h"

namespace gateway::server {

namespace {

constexpr int kReadsPerTurn = 16;              // then other connections get their turn
constexpr std::size_t kCoalesced = 64 * 1024;  // pipelined answers are gathered up to this before they are sent

thread_local Connection* current_connection = nullptr;

std::string describe(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

}  // namespace

Connection* Connection::current() { return current_connection; }

Connection::Connection(Worker& worker, int fd, std::uint64_t id, std::shared_ptr<TlsSession> tls)
    : worker_(worker), fd_(fd), id_(id), tls_(std::move(tls)), reader_(worker.limits()) {}

Connection::~Connection() { ::close(fd_); }

std::string_view Connection::peer() {
  if (peer_.empty()) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    peer_ = describe(address);
  }
  return peer_;
}

void Connection::on_ready(Readiness ready) {
  if (ready.hung_up) return lose();
  readable_ = readable_ || ready.readable || ready.shut_down;
  if (ready.shut_down) half_closed();
}

// The client's FIN. While a request is being answered it counts as hanging up, since a process that ends and one that
// only stops sending look alike until something is written; an answer that comes all the same is still written.
void Connection::half_closed() {
  if (peer_shut_) return;
  peer_shut_ = true;
  if (answering()) notify_hang_up();
}

void Connection::notify_hang_up() {
  hung_up_ = true;
  on_drain_ = nullptr;
  if (const auto callback = std::exchange(on_hang_up_, nullptr)) callback();
}

void Connection::lose() {
  if (phase_ == Phase::Closed) return;
  phase_ = Phase::Closed;
  if (flow_) flow_->gone = true;
  notify_hang_up();
}

// The handler itself ended it, so it needs not be told that the client is gone.
void Connection::cut() {
  on_hang_up_ = nullptr;
  lose();
}

void Connection::on_deadline(Wait wait) {
  switch (wait) {
    case Wait::Head:
      return refuse(refusal::kSlowHead);
    case Wait::Body:
      return refuse(refusal::kSlowBody);
    case Wait::Idle:
      return worker_.draining() ? on_drain_begin() : lose();
    case Wait::Write:
    case Wait::Linger:
      return lose();
    case Wait::None:
      return;
  }
}

// What the client has sent already is served; a connection with nothing to serve is closed.
void Connection::on_drain_begin() {
  if (phase_ != Phase::Reading) return;
  readable_ = true;
  read();
  if (phase_ == Phase::Reading && input_.empty() && reader_.phase() == RequestReader::Phase::Idle && !pending_) lose();
}

void Connection::settle() {
  turn_over_ = false;
  do {
    if (phase_ == Phase::Lingering)
      discard();
    else if (phase_ == Phase::Reading && !pending_)
      starved_ ? read() : consume({});
    flush();
  } while (can_go_on());
  update_deadline();
}

// Readiness is edge-triggered, so it is reported once: what can be read must be read before the next wait.
bool Connection::can_go_on() const {
  if (phase_ == Phase::Reading && !pending_ && !starved_) return true;
  const bool reads = (phase_ == Phase::Reading && !pending_) || phase_ == Phase::Lingering;
  return reads && readable_ && !turn_over_;
}

// Others come first; this connection goes on after them.
void Connection::end_turn() {
  turn_over_ = true;
  worker_.post([id = id_](Worker& worker) { worker.with(id, [](Connection&) {}); });
}

// The session may hold records that are decrypted already, or half read: only EAGAIN says that nothing is left.
long Connection::receive_tls() {
  const auto size = tls_->read(worker_.read_buffer().data(), worker_.read_buffer().size());
  if (size > 0) return size;
  readable_ = false;
  if (size < 0 && errno != EAGAIN) lose();
  return size;
}

long Connection::receive() {
  if (tls_ && phase_ != Phase::Lingering) return receive_tls();
  auto& buffer = worker_.read_buffer();
  for (;;) {
    const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      // A short read means that the socket is empty, and edge-triggered readiness will report what comes later. But a
      // FIN that was reported already is not reported again.
      readable_ = static_cast<std::size_t>(size) == buffer.size() || peer_shut_;
      return size;
    }
    if (size < 0 && errno == EINTR) continue;
    readable_ = false;
    if (size == 0) return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK) lose();
    return -1;
  }
}

void Connection::read() {
  for (int reads = 0; phase_ == Phase::Reading && starved_ && readable_ && output().size() < kCoalesced; ++reads) {
    if (reads == kReadsPerTurn) return end_turn();
    const auto size = receive();
    if (size < 0) return;
    if (size == 0) return on_end_of_input();
    consume({worker_.read_buffer().data(), static_cast<std::size_t>(size)});
  }
}

// The client has closed, between two requests or in the middle of one: nobody is left who could read an answer.
void Connection::on_end_of_input() {
  peer_shut_ = end_of_input_ = true;
  phase_ = Phase::Closing;
}

void Connection::linger() {
  keep_alive_ = false;
  phase_ = Phase::Closing;
}

void Connection::discard() {
  for (int reads = 0; readable_ && phase_ == Phase::Lingering; ++reads) {
    if (reads == kReadsPerTurn) return end_turn();
    const auto size = receive();
    if (size == 0) phase_ = Phase::Closed;
    if (size <= 0) return;
  }
}

// Handles what whole requests there are, in order. Views into `fresh` or input_ stay valid while a handler runs:
// nothing below touches either before the loop is over.
void Connection::consume(std::string_view fresh) {
  const bool buffered = !input_.empty();
  if (buffered) input_.append(fresh);
  const std::string_view window = buffered ? std::string_view(input_) : fresh;
  std::size_t used = 0;
  starved_ = window.empty();
  while (phase_ == Phase::Reading && used < window.size() && output().size() < kCoalesced) {
    const auto progress = reader_.read(window.substr(used), worker_.head());
    used += progress.consumed;
    if (progress.status == RequestReader::Status::NeedMore) {
      starved_ = true;
      break;
    }
    if (progress.status == RequestReader::Status::Refused)
      refuse(reader_.refusal());
    else
      dispatch();
  }
  if (phase_ == Phase::Closing) used = window.size();
  starved_ = starved_ || used == window.size();
  if (used == window.size())
    input_ = std::string();
  else if (buffered)
    input_.erase(0, used);
  else
    input_.assign(window.substr(used));
  if (reader_.take_continue()) output().append("HTTP/1.1 100 Continue\r\n\r\n");
}

void Connection::dispatch() {
  const Head& head = worker_.head();
  phase_ = Phase::Answering;
  ++sequence_;
  restart_wait_ = true;
  hung_up_ = false;
  on_hang_up_ = nullptr;
  keep_alive_ = head.keep_alive;
  head_only_ = head.method == "HEAD";
  minor_version_ = head.minor_version;
  const RequestView request{head.method, head.target, head.path,      head.query,
                            head.host,   head.fields, reader_.body(), head.minor_version};
  current_connection = this;
  try {
    worker_.handler().on_request(
        request, Reply(std::make_shared<Reply::State>(worker_.mailbox(), this, id_, sequence_, worker_.index(),
                                                      worker_.limits().unsent_bytes)));
  } catch (...) {
    // The Reply went with the exception: if no copy of it is elsewhere, the client has its 500 by now.
  }
  current_connection = nullptr;
  reader_.reset();
}

Wait Connection::current_wait() const {
  if (phase_ == Phase::Lingering) return Wait::Linger;
  if (pending_) return Wait::Write;
  if (phase_ != Phase::Reading) return Wait::None;
  switch (reader_.phase()) {
    case RequestReader::Phase::Idle:
      return Wait::Idle;
    case RequestReader::Phase::Head:
      return Wait::Head;
    case RequestReader::Phase::Body:
      return Wait::Body;
  }
  return Wait::None;
}

void Connection::update_deadline() {
  if (phase_ == Phase::Closed) return;
  const auto wanted = current_wait();
  if (wanted != wait() || restart_wait_) worker_.deadlines().start(*this, wanted, worker_.now());
  restart_wait_ = false;
}

}  // namespace gateway::server
