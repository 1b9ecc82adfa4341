// Faults on request: by the control API for matching calls, or by a call's own `X-Simulator-Fault`. Parsing and
// choosing are pure; the handler acts them out.
#pragma once

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/simulator/ids.h"
#include "tests/simulator/json.h"

namespace simulator {

enum class FaultKind {
  None,
  Status,       // status=503[;retry-after=2][;applied]: that answer, without or after applying the call
  Latency,      // latency=300ms: later
  ResetBefore,  // the connection is cut, nothing applied
  ResetAfter,   // applied, then the connection is cut
  Hang,         // not applied and never answered
  SlowBody,     // slow-body[=50ms]: the body in ten pieces with that pause between them
  WrongLength,  // applied; Content-Length says 64 bytes more than come, then the connection is cut
  Garbage       // applied; bytes that are no HTTP, then the connection is cut
};

struct Fault {
  FaultKind kind = FaultKind::None;
  int status = 0;
  int retry_after = -1;  // seconds; -1: none
  bool applied = false;
  std::chrono::milliseconds pause{50};  // of Latency and SlowBody
  bool operator==(const Fault&) const = default;

  // Whether the call takes effect although the client gets no true answer.
  bool applies() const {
    return kind != FaultKind::ResetBefore && kind != FaultKind::Hang && (kind != FaultKind::Status || applied);
  }
};

// "429" is short for "status=429". The text says what is wrong.
std::variant<std::string, Fault> parse_fault(std::string_view text);

struct FaultRule {
  std::string method;       // empty: any
  std::string path_prefix;  // empty: any
  Fault fault;
  double probability = 1.0;
  std::size_t left = std::numeric_limits<std::size_t>::max();  // how often it still strikes
};
// {"match":{"method":…,"path_prefix":…},"fault":"…","probability":0.1,"count":3}
std::variant<std::string, FaultRule> parse_fault_rule(const Value& body);

class Faults {
 public:
  explicit Faults(std::uint64_t seed) : random_(seed ^ 0xfa17) {}
  void add(FaultRule rule) { rules_.push_back(std::move(rule)); }
  void clear() { rules_.clear(); }
  // The first rule that matches and strikes.
  Fault choose(std::string_view method, std::string_view path);
  std::size_t struck() const { return struck_; }

 private:
  std::vector<FaultRule> rules_;
  Random random_;
  std::size_t struck_ = 0;
};

}  // namespace simulator
