#include "gateway/upstream/multi.h"

#include <asio/post.hpp>
#include <chrono>
#include <new>

#include "gateway/log/log.h"

namespace gateway::upstream {

// What libcurl wants to know of one of its descriptors, and which of it is being awaited.
struct Multi::Socket {
  explicit Socket(asio::io_context& io) : descriptor(io) {}
  ~Socket() {
    if (descriptor.is_open()) descriptor.release();  // libcurl's to close
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  asio::posix::stream_descriptor descriptor;
  bool stays = false;  // watched also while no transfer needs it
  int interest = 0;    // CURL_POLL_IN | CURL_POLL_OUT
  int awaited = 0;     // the same bits
};

Multi::Multi(asio::io_context& io, std::size_t connections, Done done)
    : io_(io), timer_(io), done_(std::move(done)), multi_(curl_multi_init()) {
  if (multi_ == nullptr) throw std::bad_alloc();
  const auto limit = static_cast<long>(connections);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, limit);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, limit);
}

Multi::~Multi() { close(); }

void Multi::close() {
  if (multi_ == nullptr) return;
  curl_multi_cleanup(multi_);  // still calls on_socket
  multi_ = nullptr;
  sockets_.clear();
  timer_.cancel();
}

bool Multi::add(CURL* easy) {
  idle_.drop_unclean();
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) return false;
  due_ = false;
  act(CURL_SOCKET_TIMEOUT, 0);  // starts it now: one turn of the loop less
  return true;
}

void Multi::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
  run_due();
}

// The connection of a transfer that ended well is idle from now on, and stays watched from this transfer to the next.
// Asked before libcurl lets go of the handle: afterwards it no longer knows.
void Multi::keep(CURL* easy) {
  long version = CURL_HTTP_VERSION_NONE;
  curl_socket_t descriptor = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &descriptor);
  if (descriptor == CURL_SOCKET_BAD) return;
  auto& socket = sockets_[descriptor];
  if (!socket) socket = std::make_shared<Socket>(io_);
  socket->stays = true;
  const bool taken_over = socket->interest != 0;  // by a request that waited for it
  if (!taken_over && version != CURL_HTTP_VERSION_2_0) idle_.add(descriptor);
}

void Multi::forget(curl_socket_t descriptor) {
  idle_.remove(descriptor);
  let_go(descriptor);
}

// Lets go at once, not when the last handler is gone: libcurl may close the descriptor and open another one of the same
// number.
void Multi::let_go(curl_socket_t descriptor) {
  const auto found = sockets_.find(descriptor);
  if (found == sockets_.end()) return;
  if (found->second->descriptor.is_open()) found->second->descriptor.release();
  sockets_.erase(found);
}

// Never -1: that would end every transfer, those to come too. One that cannot be watched runs into its time limit.
int Multi::on_socket(CURL*, curl_socket_t descriptor, int what, void* self, void*) noexcept {
  auto& multi = *static_cast<Multi*>(self);
  if (what == CURL_POLL_REMOVE)
    multi.unwatch(descriptor);
  else
    multi.watch(descriptor, what & CURL_POLL_INOUT);
  return 0;
}

void Multi::watch(curl_socket_t descriptor, int what) {
  auto& socket = sockets_[descriptor];
  if (!socket) socket = std::make_shared<Socket>(io_);
  if (socket->interest == 0) idle_.remove(descriptor);
  if (!socket->descriptor.is_open()) {
    std::error_code error;
    socket->descriptor.assign(descriptor, error);
    if (error) return log::warn("upstream_unwatched", {{"detail", std::string_view(error.message())}});
  }
  socket->interest = what;
  await(socket);
}

// Only a connection that has served a request stays watched. Any other descriptor (an attempt that lost to another
// address, the one that wakes libcurl when a name is resolved) may be closed without a word and its number used again:
// it is let go of now.
void Multi::unwatch(curl_socket_t descriptor) {
  const auto found = sockets_.find(descriptor);
  if (found == sockets_.end()) return;
  found->second->interest = 0;
  if (!found->second->stays) let_go(descriptor);
}

void Multi::await(const std::shared_ptr<Socket>& socket) {
  for (const int direction : {CURL_POLL_IN, CURL_POLL_OUT})
    if ((socket->interest & direction) != 0 && (socket->awaited & direction) == 0) await(socket, direction);
}

void Multi::await(const std::shared_ptr<Socket>& socket, int direction) {
  using Wait = asio::posix::stream_descriptor::wait_type;
  socket->awaited |= direction;
  socket->descriptor.async_wait(
      direction == CURL_POLL_IN ? Wait::wait_read : Wait::wait_write,
      [self = weak_from_this(), weak = std::weak_ptr(socket), direction](std::error_code error) {
        const auto multi = self.lock();
        const auto woken = weak.lock();
        if (!multi || !woken || error == asio::error::operation_aborted) return;
        woken->awaited &= ~direction;
        if ((woken->interest & direction) == 0) return;  // libcurl lost interest meanwhile
        const int events = direction == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT;
        multi->act(woken->descriptor.native_handle(), error ? events | CURL_CSELECT_ERR : events);
        if (woken->descriptor.is_open()) multi->await(woken);
      });
}

int Multi::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  static_cast<Multi*>(self)->arm(milliseconds);
  return 0;
}

void Multi::arm(long milliseconds) {
  due_ = milliseconds == 0;  // libcurl may not be called from its own callback: run_due() does
  wanted_ =
      milliseconds > 0 ? asio::steady_timer::clock_type::now() + std::chrono::milliseconds(milliseconds) : Time::max();
  arm_timer();
}

// Nearly every transfer ends before its time limits, so a timer that is set for an earlier moment is left alone; when
// it fires, it is set for what is wanted by then.
void Multi::arm_timer() {
  if (wanted_ >= armed_for_) return;
  armed_for_ = wanted_;
  timer_.expires_at(armed_for_);
  timer_.async_wait([self = weak_from_this()](std::error_code error) {
    const auto multi = self.lock();
    if (!multi || error) return;
    multi->armed_for_ = Time::max();
    if (multi->wanted_ > asio::steady_timer::clock_type::now()) return multi->arm_timer();
    multi->wanted_ = Time::max();
    multi->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void Multi::act(curl_socket_t descriptor, int events) {
  if (multi_ == nullptr) return;
  int running = 0;
  curl_multi_socket_action(multi_, descriptor, events, &running);
  report();
  run_due();
}

void Multi::report() {
  int left = 0;
  while (multi_ != nullptr) {
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    if (message == nullptr) return;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    if (code == CURLE_OK) keep(easy);
    curl_multi_remove_handle(multi_, easy);
    done_(easy, code);
  }
}

void Multi::run_due() {
  if (!due_ || posted_) return;
  due_ = false;
  posted_ = true;
  asio::post(io_, [self = weak_from_this()] {
    const auto multi = self.lock();
    if (!multi) return;
    multi->posted_ = false;
    multi->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

}  // namespace gateway::upstream
