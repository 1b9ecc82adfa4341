#include "gateway/server/worker.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace gateway::server {

using Pistache::Polling::NotifyOn;
using Pistache::Polling::Tag;

namespace {

constexpr std::size_t kPlaceBits = 24;                  // the lower bits of a connection's id are its place
constexpr std::chrono::milliseconds kLeastIdle{1'000};  // while draining
constexpr std::uint64_t kPlaceMask = (1u << kPlaceBits) - 1;

// FdSet::Entry derives privately from Event, which hides the Shutdown flag. Only a C-style cast may convert to a
// private base ([expr.cast]).
const Pistache::Polling::Event& event_of(const Pistache::Aio::FdSet::Entry& entry) {
  return (const Pistache::Polling::Event&)entry;  // NOLINT(google-readability-casting)
}

}  // namespace

Worker::Worker(const Options& options, std::size_t index, std::unique_ptr<server::Handler> handler, OpenCount& open)
    : options_(options), index_(index), handler_(std::move(handler)), open_(open) {
  timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  using std::chrono::milliseconds;
  const auto set = [this](Wait wait, milliseconds limit) {
    deadlines_.set_duration(wait, std::max(limit, milliseconds(1)));
  };
  set(Wait::Idle, limits().idle_timeout);
  set(Wait::Head, limits().header_timeout);
  set(Wait::Body, limits().body_timeout);
  set(Wait::Write, limits().write_timeout);
  set(Wait::Linger, limits().linger_timeout);
}

Worker::~Worker() { ::close(timer_); }

std::shared_ptr<Pistache::Aio::Handler> Worker::clone() const {
  throw std::logic_error("a worker belongs to one thread");
}

void Worker::registerPoller(Pistache::Polling::Epoll& poller) {
  mailbox_->bind(poller);
  poller.addFd(timer_, Pistache::Flags<NotifyOn>(NotifyOn::Read), Tag(static_cast<std::uint64_t>(timer_)));
}

void Worker::onReady(const Pistache::Aio::FdSet& events) {
  now_ = Clock::now();
  for (const auto& entry : events) {
    const auto& event = event_of(entry);
    const auto tag = event.tag.value();
    if (tag == mailbox_->tag().value()) {
      mailbox_->drain(*this);
    } else if (tag == static_cast<std::uint64_t>(timer_)) {
      on_timer();
    } else {
      with(tag, [&](Connection& connection) {
        connection.on_ready({event.flags.hasFlag(NotifyOn::Read), event.flags.hasFlag(NotifyOn::Write),
                             event.flags.hasFlag(NotifyOn::Shutdown), event.flags.hasFlag(NotifyOn::Hangup)});
      });
    }
  }
  arm_timer();
}

Connection* Worker::find(std::uint64_t id) {
  const auto place = id & kPlaceMask;
  if (place >= connections_.size()) return nullptr;
  Connection* connection = connections_[place].get();
  return connection && connection->id() == id ? connection : nullptr;
}

void Worker::settle(Connection& connection) {
  connection.settle();
  if (connection.closed()) remove(connection);
}

void Worker::remove(Connection& connection) {
  const auto place = connection.id() & kPlaceMask;
  const auto dead = std::move(connections_[place]);
  free_places_.push_back(place);
  open_.lower();
}

void Worker::adopt(Arrival arrival) {
  if (free_places_.empty()) {
    free_places_.push_back(connections_.size());
    connections_.emplace_back();
  }
  const auto place = free_places_.back();
  const auto id = next_serial_++ << kPlaceBits | place;
  const bool encrypted = arrival.tls != nullptr;
  auto connection = std::make_unique<Connection>(*this, arrival.fd, id, std::move(arrival.tls));
  try {
    reactor()->registerFd(key(), arrival.fd, NotifyOn::Read | NotifyOn::Shutdown | NotifyOn::Hangup, Tag(id),
                          Pistache::Polling::Mode::Edge);
  } catch (const std::exception&) {  // no memory for another watch: the client sees the connection closed
    connection.reset();
    open_.lower();
    return;
  }
  free_places_.pop_back();
  connections_[place] = std::move(connection);
  with(id, [&](Connection& adopted) {
    if (arrival.linger) return adopted.linger();
    if (arrival.refusal != nullptr) return adopted.refuse(*arrival.refusal);
    // The first request may have been read together with the end of the handshake: no readiness will report it.
    if (encrypted) adopted.on_ready({.readable = true});
  });
}

void Worker::watch(Connection& connection, bool writable) {
  auto interest = NotifyOn::Read | NotifyOn::Shutdown | NotifyOn::Hangup;
  if (writable) interest = interest | NotifyOn::Write;
  try {
    reactor()->modifyFd(key(), connection.fd(), interest, Tag(connection.id()), Pistache::Polling::Mode::Edge);
  } catch (const std::exception&) {  // without the event the answer would hang
    connection.lose();
  }
}

// A client whose handshake ends only now has not sent its first request yet: it gets a second at least.
void Worker::drain(std::chrono::milliseconds idle) {
  draining_ = true;
  deadlines_.set_duration(Wait::Idle, std::max(idle, kLeastIdle));
  for (std::size_t place = 0; place < connections_.size(); ++place) {
    if (!connections_[place]) continue;
    with(connections_[place]->id(), [&](Connection& connection) {
      if (idle == std::chrono::milliseconds{0}) return connection.on_drain_begin();
      // Each deadline is set anew, so that their list stays sorted.
      if (connection.wait() == Wait::Idle) deadlines_.start(connection, Wait::Idle, now_);
    });
  }
  arm_timer();
}

void Worker::close_all() {
  for (std::size_t place = 0; place < connections_.size(); ++place) {
    if (connections_[place]) with(connections_[place]->id(), [](Connection& connection) { connection.lose(); });
  }
}

std::string_view Worker::date() {
  if (const auto second = std::time(nullptr); second != date_second_) {
    date_second_ = second;
    date_ = http_date(second);
  }
  return date_;
}

void Worker::on_timer() {
  std::uint64_t expirations = 0;
  (void)!::read(timer_, &expirations, sizeof expirations);
  armed_.reset();
  while (Waiter* waiter = deadlines_.expired(now_)) {
    auto& connection = static_cast<Connection&>(*waiter);
    const auto wait = connection.wait();
    deadlines_.start(connection, Wait::None, now_);
    connection.on_deadline(wait);
    settle(connection);
  }
}

void Worker::arm_timer() {
  const auto earliest = deadlines_.earliest();
  if (!earliest || (armed_ && *armed_ <= *earliest)) return;
  armed_ = earliest;
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(earliest->time_since_epoch()).count();
  itimerspec spec{};
  spec.it_value.tv_sec = since / 1'000'000'000;
  spec.it_value.tv_nsec = since % 1'000'000'000;
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace gateway::server
