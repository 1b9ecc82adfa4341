#include "gateway/tracing/trace.h"

#include <cstring>

#include "gateway/random.h"

namespace gateway::tracing {

namespace {

policies::SpanId new_span_id() {
  policies::SpanId id{};
  const std::uint64_t random = random_id();
  std::memcpy(id.data(), &random, sizeof random);
  return id;
}

policies::TraceId new_trace_id() {
  policies::TraceId id{};
  const std::uint64_t random[] = {random_id(), random_id()};
  std::memcpy(id.data(), random, sizeof random);
  return id;
}

}  // namespace

Trace::Trace(Tracer& tracer, const std::optional<policies::TraceParent>& received)
    : tracer_(tracer), context_(policies::continued(received, new_trace_id(), new_span_id())) {
  if (received) parent_ = received->parent;
}

void Trace::finish(std::chrono::steady_clock::time_point started, std::vector<Attribute> attributes,
                   bool failed) const {
  Span span;
  span.trace = context_.trace;
  span.id = context_.parent;
  span.parent = parent_;
  span.name = "exchange";
  span.kind = Kind::Server;
  span.end = std::chrono::system_clock::now();
  span.start = span.end - std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              std::chrono::steady_clock::now() - started);
  span.attributes = std::move(attributes);
  span.failed = failed;
  tracer_.record(std::move(span));
}

Scope::Scope(TracePtr trace, std::string_view name, Kind kind, Words words) : trace_(std::move(trace)) {
  if (!trace_) return;
  span_.trace = trace_->context_.trace;
  span_.id = new_span_id();
  span_.parent = trace_->context_.parent;
  span_.name = name;
  span_.kind = kind;
  span_.start = std::chrono::system_clock::now();
  started_ = std::chrono::steady_clock::now();
  for (const auto& [key, value] : words) set(key, value);
}

Scope::~Scope() {
  if (!trace_) return;
  span_.end = span_.start + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                std::chrono::steady_clock::now() - started_);
  trace_->tracer_.record(std::move(span_));
}

void Scope::set(std::string_view key, std::string_view value) {
  if (trace_) span_.attributes.push_back({key, std::string(value)});
}

void Scope::set(std::string_view key, std::int64_t value) {
  if (trace_) span_.attributes.push_back({key, value});
}

policies::TraceParent Scope::context() const { return {span_.trace, span_.id, trace_->context_.sampled}; }

TracePtr Sampler::trace(policies::FieldsView fields) {
  if (!tracer_.on()) return nullptr;
  const auto received = policies::received_traceparent(fields);
  if (received) return received->sampled ? std::make_shared<const Trace>(tracer_, received) : nullptr;
  const auto now = std::chrono::steady_clock::now();
  if (now - second_ >= std::chrono::seconds{1}) second_ = now, roots_ = 0;
  return ++roots_ <= kRootsPerSecond ? std::make_shared<const Trace>(tracer_, received) : nullptr;
}

}  // namespace gateway::tracing
