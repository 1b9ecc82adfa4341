// One traced request: its trace and the span that stands for it, and scopes for the steps on its way. A request that is
// not traced has none (a null pointer), and every scope of it does nothing.
//
// A Trace is made by the request's worker and read by whoever has the request; a Scope belongs to one thread at a time.
// Both record when they end, a cancelled step included.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include "gateway/tracing/tracer.h"
#include "policies/fields.h"

namespace gateway::tracing {

class Trace {
 public:
  // The client's trace continued, or a new one.
  Trace(Tracer& tracer, const std::optional<policies::TraceParent>& received);

  const policies::TraceParent& context() const { return context_; }  // its own span as the parent of what follows
  // Its own span, which began at `started`. Once, when the request is over.
  void finish(std::chrono::steady_clock::time_point started, std::vector<Attribute> attributes, bool failed) const;

 private:
  friend class Scope;
  Tracer& tracer_;
  policies::TraceParent context_;
  std::optional<policies::SpanId> parent_;
};
using TracePtr = std::shared_ptr<const Trace>;

class Scope {
 public:
  // `name` and the words' keys: literals.
  using Words = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  Scope(TracePtr trace, std::string_view name, Kind kind, Words words = {});
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  explicit operator bool() const { return trace_ != nullptr; }
  void set(std::string_view key, std::string_view value);  // `key`: a literal
  void set(std::string_view key, std::int64_t value);
  void fail() { span_.failed = true; }
  bool continues() const { return trace_ && trace_->parent_; }  // the client's trace, not a new one
  policies::TraceParent context() const;  // this span as the parent of what follows; only where there is a trace

 private:
  TracePtr trace_;
  Span span_;
  std::chrono::steady_clock::time_point started_;
};

// Which requests are traced: those whose traceparent says so, and of those that bring none a hundred a second of each
// worker. One thread.
class Sampler {
 public:
  static constexpr int kRootsPerSecond = 100;
  explicit Sampler(Tracer& tracer) : tracer_(tracer) {}
  TracePtr trace(policies::FieldsView fields);

 private:
  Tracer& tracer_;
  std::chrono::steady_clock::time_point second_{};
  int roots_ = 0;
};

}  // namespace gateway::tracing
