#include "gateway/tracing/tracer.h"

#include <algorithm>
#include <iterator>

#include "gateway/log/log.h"
#include "gateway/tracing/sender.h"

namespace gateway::tracing {

namespace {

// As OTEL_EXPORTER_OTLP_ENDPOINT is read: a base, to which the signal's path is added.
std::string traces_url(std::string endpoint) {
  constexpr std::string_view kPath = "/v1/traces";
  if (endpoint.empty() || endpoint.ends_with(kPath)) return endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint.append(kPath);
}

}  // namespace

Tracer::Tracer(Options options) : options_(std::move(options)), url_(traces_url(options_.endpoint)) {}
Tracer::~Tracer() { stop(); }

void Tracer::start() {
  if (on()) thread_ = std::thread([this] { run(); });
}

void Tracer::stop() {
  if (!thread_.joinable()) return;
  {
    const Lock lock(mutex_);
    stopping_ = true;
    end_ = std::chrono::steady_clock::now() + options_.last_words;
  }
  wake_.notify_all();
  thread_.join();
}

void Tracer::record(Span span) {
  std::size_t waiting = 0;
  {
    const Lock lock(mutex_);
    waiting = waiting_.size();
    if (waiting < options_.queue) waiting_.push_back(std::move(span));
  }
  if (waiting >= options_.queue)
    dropped_.fetch_add(1, std::memory_order_relaxed);
  else if (waiting + 1 == options_.batch)
    wake_.notify_one();
}

// A whole batch at once, or what has come within the linger time. Empty: it is ending and nothing is left.
std::vector<Span> Tracer::next_batch() {
  const Lock lock(mutex_);
  const auto full = std::chrono::steady_clock::now() + options_.linger;
  while (!stopping_ && waiting_.size() < options_.batch)
    if (wake_.wait_until(mutex_, full) == std::cv_status::timeout && !waiting_.empty())
      break;
    else if (waiting_.empty() && std::chrono::steady_clock::now() >= full)
      break;
  const auto taken = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), options_.batch));
  std::vector<Span> batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(taken));
  waiting_.erase(waiting_.begin(), taken);
  return batch;
}

bool Tracer::pause(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  const Lock lock(mutex_);
  while (!stopping_)
    if (wake_.wait_until(mutex_, until) == std::cv_status::timeout) return true;
  return std::chrono::steady_clock::now() < end_;
}

void Tracer::deliver(Sender& sender, const std::vector<Span>& batch) {
  const std::string body = otlp_json(options_.resource, batch);
  auto wait = options_.first_pause;
  for (int attempt = 1;; ++attempt, wait *= 2) {
    auto limit = options_.timeout;
    {
      const Lock lock(mutex_);
      if (stopping_)
        limit =
            std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now()),
                       std::chrono::milliseconds{1}, limit);
    }
    const auto result = sender.post(body, limit);
    if (result == Sender::Result::Taken) {
      sent_.fetch_add(batch.size(), std::memory_order_relaxed);
      return;
    }
    if (result == Sender::Result::Refused || attempt == options_.tries || !pause(wait)) break;
  }
  if (failed_.fetch_add(batch.size(), std::memory_order_relaxed) == 0)
    log::warn("spans_not_taken", {{"why", "the collector of tracing.otlp is away or refuses them; said once"}});
}

void Tracer::run() {
  Sender sender(url_);
  for (;;) {
    const auto batch = next_batch();
    if (!batch.empty()) deliver(sender, batch);
    const Lock lock(mutex_);
    if (!stopping_) continue;
    if (waiting_.empty()) return;
    if (std::chrono::steady_clock::now() < end_) continue;
    failed_.fetch_add(waiting_.size(), std::memory_order_relaxed);
    return;
  }
}

}  // namespace gateway::tracing
