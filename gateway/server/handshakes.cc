#include "gateway/server/handshakes.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "gateway/mutex.h"

namespace gateway::server {

namespace {

constexpr int kNice = 5;  // a third of a worker's share where both want the processor
constexpr char kTlsRecord = 0x16;
using Clock = std::chrono::steady_clock;

}  // namespace

std::string_view to_string(HandshakeResult result) {
  switch (result) {
    case HandshakeResult::Done:
      return "done";
    case HandshakeResult::Resumed:
      return "resumed";
    case HandshakeResult::Failed:
      return "failed";
    case HandshakeResult::TimedOut:
      return "timeout";
    case HandshakeResult::PlainHttp:
      return "plain_http";
    case HandshakeResult::Displaced:
      return "displaced";
  }
  return "failed";
}

// One thread with its epoll. Everything but take() and stop() runs on that thread.
class Handshakes::Loop {
 public:
  Loop(Handshakes& owner, std::size_t most) : owner_(owner), most_(most) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "a handshake thread");
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "handshakes");
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
      run();
    });
  }

  ~Loop() {
    stopping_ = true;
    ::eventfd_write(wake_, 1);
    thread_.join();
    while (!pending_.empty()) lose(pending_.front());
    for (const int fd : arrived_) close_lost(fd);
    ::close(wake_);
    ::close(epoll_);
  }

  void take(int fd) {
    {
      const Lock lock(mutex_);
      arrived_.push_back(fd);
    }
    ::eventfd_write(wake_, 1);
  }

 private:
  struct Pending {
    int fd;
    Clock::time_point end;
    std::shared_ptr<TlsSession> session;  // null until it has sent something
    bool writing = false;                 // waits for room, not for bytes
    std::list<Pending>::iterator place;
  };

  void run() {
    std::array<epoll_event, 256> events{};
    while (!stopping_) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_milliseconds());
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr != nullptr) advance(*static_cast<Pending*>(event.data.ptr));
      }
      admit();  // after the events: it may end pending ones
      expire();
    }
  }

  int wait_milliseconds() const {
    if (pending_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(pending_.front().end - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void admit() {
    eventfd_t ignored = 0;
    (void)::eventfd_read(wake_, &ignored);
    std::vector<int> arrived;
    {
      const Lock lock(mutex_);
      arrived.swap(arrived_);
    }
    const auto end = Clock::now() + owner_.options_.limit;
    for (const int fd : arrived) {
      if (pending_.size() >= most_) {
        owner_.add(HandshakeResult::Displaced);
        lose(pending_.front());
      }
      pending_.push_back({fd, end, nullptr, false, {}});
      pending_.back().place = std::prev(pending_.end());
      epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.ptr = &pending_.back()}};
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) lose(pending_.back());
    }
  }

  void expire() {
    const auto now = Clock::now();
    while (!pending_.empty() && pending_.front().end <= now) {
      owner_.add(HandshakeResult::TimedOut);
      lose(pending_.front());
    }
  }

  void advance(Pending& pending) {
    if (!pending.session && !begin(pending)) return;
    switch (pending.session->handshake()) {
      case TlsSession::Handshake::Done:
        return finish(pending);
      case TlsSession::Handshake::WantRead:
        return want(pending, false);
      case TlsSession::Handshake::WantWrite:
        return want(pending, true);
      case TlsSession::Handshake::Failed:
        return refuse(pending);
    }
  }

  // The first byte tells TLS from a client that was given http:// for https://.
  bool begin(Pending& pending) {
    char first = 0;
    const auto count = ::recv(pending.fd, &first, 1, MSG_PEEK);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count == 1 && first == kTlsRecord) {
      try {
        pending.session = owner_.events_.context()->session(pending.fd);
        return true;
      } catch (const std::bad_alloc&) {
        fail(pending, "no memory for a session");
        return false;
      }
    }
    if (count == 1 && first >= 'A' && first <= 'Z') {
      owner_.add(HandshakeResult::PlainHttp);
      owner_.events_.plain_http(release(pending));
    } else {
      fail(pending, count == 1 ? "the client's first bytes are not TLS" : "the client left");
    }
    return false;
  }

  void want(Pending& pending, bool writing) {
    if (pending.writing == writing) return;
    pending.writing = writing;
    epoll_event event{.events = writing ? EPOLLOUT : EPOLLIN | EPOLLRDHUP, .data = {.ptr = &pending}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, pending.fd, &event);
  }

  void finish(Pending& pending) {
    owner_.add(pending.session->resumed() ? HandshakeResult::Resumed : HandshakeResult::Done);
    auto session = std::move(pending.session);
    owner_.events_.done(release(pending), std::move(session));
  }

  void refuse(Pending& pending) {
    owner_.add(HandshakeResult::Failed);
    if (owner_.events_.failed) owner_.events_.failed(pending.session->failure());
    pending.session.reset();
    owner_.events_.refused(release(pending));
  }

  void fail(Pending& pending, const std::string& why) {
    owner_.add(HandshakeResult::Failed);
    if (owner_.events_.failed) owner_.events_.failed(why);
    lose(pending);
  }

  // Forgets the client. Its descriptor is the caller's to close from here on.
  int release(Pending& pending) {
    const int fd = pending.fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    pending_.erase(std::list<Pending>::iterator(pending.place));
    return fd;
  }

  void lose(Pending& pending) { close_lost(release(pending)); }

  void close_lost(int fd) {
    ::close(fd);
    owner_.events_.lost();
  }

  Handshakes& owner_;
  const std::size_t most_;
  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::vector<int> arrived_ GUARDED_BY(mutex_);
  std::list<Pending> pending_;  // the oldest first: all have the same limit
  std::thread thread_;
};

Handshakes::Handshakes(Options options, Events events) : options_(options), events_(std::move(events)) {}
Handshakes::~Handshakes() { stop(); }

void Handshakes::start() {
  const auto threads = std::max<std::size_t>(options_.threads, 1);
  for (std::size_t i = 0; i < threads; ++i)
    loops_.push_back(std::make_unique<Loop>(*this, std::max<std::size_t>(options_.most / threads, 1)));
}

void Handshakes::stop() { loops_.clear(); }

void Handshakes::take(int fd) { loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]->take(fd); }

}  // namespace gateway::server
