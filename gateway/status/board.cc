#include "gateway/status/board.h"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "gateway/server/problem.h"
#include "gateway/status/page.h"

namespace gateway::status {

namespace {

constexpr std::size_t kBefore = 10;

std::string event(std::string_view name, std::string_view data) {
  std::string text = "event: ";
  return text.append(name).append("\ndata: ").append(data).append("\n\n");
}

std::chrono::seconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
}

std::uint64_t waiting(const exchange::State& state) {
  return std::accumulate(state.locations.begin(), state.locations.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& location) { return sum + location.queue; });
}

server::Response stream_head() {
  server::Response head;
  head.fields.add("Content-Type", "text/event-stream");
  head.fields.add("Cache-Control", "no-store");
  head.fields.add("X-Accel-Buffering", "no");  // nginx in front would hold the events back
  return head;
}

}  // namespace

struct Board::Reader {
  explicit Reader(server::Reply to) : reply(std::move(to)) {}
  server::Reply reply;  // used under the board's mutex alone: one at a time
  std::atomic<bool> held{false};
  std::atomic<bool> gone{false};
};

Board::Board(Facts facts, Sources sources) : facts_(std::move(facts)), sources_(std::move(sources)) {}
Board::~Board() { stop(); }

void Board::add_routes(admin::Admin& admin) {
  admin.add(page_route());
  admin.add({"GET", "/events", false,
             [this](const server::RequestView& request, server::Reply reply) { join(request, std::move(reply)); }});
}

void Board::start() {
  thread_ = std::thread([this] { run(); });
}

void Board::stop() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    for (const auto& reader : readers_) reader->reply.end();
    readers_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Board::run() {
  auto next = std::chrono::steady_clock::now();
  {
    const Lock lock(mutex_);
    history_.add(sources_.metrics.totals(), 0, next, wall_clock());
  }
  for (;;) {
    // The first look comes after a tick: by then what is to connect at the start has had its time.
    next = std::max(next + kTick, std::chrono::steady_clock::now());
    {
      const Lock lock(mutex_);
      while (!stopping_ && wake_.wait_until(mutex_, next) == std::cv_status::no_timeout) continue;
      if (stopping_) return;
    }
    look();
  }
}

void Board::look() {
  Now now = sources_.now();
  auto totals = sources_.metrics.totals();
  const auto wall = wall_clock();
  const Lock lock(mutex_);
  history_.add(std::move(totals), waiting(now.exchange), std::chrono::steady_clock::now(), wall);
  if (before_.empty()) before_.push_back(now);
  timeline_.observe(policies::diagnose(signs_of(facts_, now, before_.front(), history_, wall)), wall);
  last_tick_ = event("tick", tick_json(facts_, now, history_, timeline_, wall));
  now.exchange = {};  // only the counts are looked at again
  before_.push_back(std::move(now));
  if (before_.size() > kBefore) before_.pop_front();

  std::erase_if(readers_, [](const auto& reader) { return reader->gone.load(); });
  for (const auto& reader : readers_)
    if (!reader->held.load()) reader->held = !reader->reply.write(last_tick_);
}

void Board::join(const server::RequestView& request, server::Reply reply) {
  if (request.method == "HEAD") return reply.send(stream_head());
  const Lock lock(mutex_);
  std::erase_if(readers_, [](const auto& reader) { return reader->gone.load(); });
  if (stopping_ || readers_.size() >= kMostReaders) {
    auto refused = server::to_response(
        {503, "", "too-many-readers", "Too many read the events already",
         "At most " + std::to_string(kMostReaders) + " may; close a status page somewhere, or wait."});
    refused.fields.add("Retry-After", "5");
    return reply.send(std::move(refused));
  }
  auto reader = std::make_shared<Reader>(reply);
  reply.on_hang_up([reader] { reader->gone = true; });
  reply.start(stream_head());
  reply.on_drain([weak = std::weak_ptr<Reader>(reader)] {
    if (const auto drained = weak.lock()) drained->held = false;
  });
  reader->held = !reply.write("retry: 1000\n" + event("hello", hello_json(facts_, history_.points())) + last_tick_);
  readers_.push_back(std::move(reader));
}

}  // namespace gateway::status
